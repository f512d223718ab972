"""Resolves name@version to a rendered prompt."""
