"""OpenAI Responses."""

from tollway_dialects.responses.wire import OpenAIResponsesWire

__all__ = ["OpenAIResponsesWire"]
