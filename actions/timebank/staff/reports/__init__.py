"""What a month or a quarter of the village was like, in figures.

All amounts are whole minutes, all days, weeks and months are the village's own. A report reads
and never writes; what was reversed since does not count, in whatever month it was reversed.
"""
