"""Simulated elders who speak into the running 小帮; the village's database is the judge."""
