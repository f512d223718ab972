"""Runs real clients straight and through the gateway, and compares what they noticed; used by the tests beside it."""
