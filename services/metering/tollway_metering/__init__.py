"""Reserves and settles tokens against caps; keeps the ledger."""
