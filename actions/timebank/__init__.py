"""The mutual-aid core: members, requests, visits and an hours ledger that anyone can check.

Knows nothing of Rasa, voice or channels. Every function takes an open session and the present
moment; a caller's `with village.transaction()` is the unit of work.
"""
