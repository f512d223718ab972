"""Gemini's generateContent, as providers speak it."""

from tollway_dialects.gemini.wire import GeminiWire

__all__ = ["GeminiWire"]
