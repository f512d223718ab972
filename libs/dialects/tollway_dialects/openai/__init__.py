"""OpenAI chat completions."""

from tollway_dialects.openai.wire import OpenAIChatWire

__all__ = ["OpenAIChatWire"]
