"""Gemini's generateContent, as an upstream: requests out, streams in, errors."""

from tollway_dialects.translation.gemini.fault import fault_of
from tollway_dialects.translation.gemini.request_out import write_request
from tollway_dialects.translation.gemini.stream_in import GeminiDecoder

__all__ = ["GeminiDecoder", "fault_of", "write_request"]
