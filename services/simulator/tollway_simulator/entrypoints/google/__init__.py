"""Gemini, in Google's own API."""
