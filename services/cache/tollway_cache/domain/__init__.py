"""Decide: no I/O, no wire formats."""
