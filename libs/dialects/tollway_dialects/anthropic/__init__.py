"""Anthropic Messages, and the counting of their tokens."""

from tollway_dialects.anthropic.count_tokens import AnthropicCountTokensWire
from tollway_dialects.anthropic.wire import AnthropicWire

__all__ = ["AnthropicCountTokensWire", "AnthropicWire"]
