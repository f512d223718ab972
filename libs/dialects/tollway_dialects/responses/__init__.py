"""OpenAI Responses."""

from tollway_dialects.responses.input_tokens import OpenAIInputTokensWire
from tollway_dialects.responses.wire import OpenAIResponsesWire

__all__ = ["OpenAIInputTokensWire", "OpenAIResponsesWire"]
