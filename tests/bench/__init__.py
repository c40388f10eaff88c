"""Measures speed (`python -m tests.bench`) and understanding (`… tests.bench.understanding`)."""
