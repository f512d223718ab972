"""Gemini's generateContent, as an upstream: requests out, streams in, errors."""

from tollway_dialects.translation.gemini.request_out import write_request

__all__ = ["write_request"]
