"""Anthropic Messages."""

from tollway_dialects.anthropic.wire import AnthropicWire

__all__ = ["AnthropicWire"]
