"""Calls providers: routes, streams, counts."""
