"""Anthropic Messages: requests in and out, streams in and out, errors."""

from tollway_dialects.translation.anthropic.fault import fault_body, fault_of
from tollway_dialects.translation.anthropic.request_in import read_request
from tollway_dialects.translation.anthropic.request_out import write_request
from tollway_dialects.translation.anthropic.stream_in import AnthropicDecoder
from tollway_dialects.translation.anthropic.stream_out import AnthropicEncoder

__all__ = ["AnthropicDecoder", "AnthropicEncoder", "fault_body", "fault_of", "read_request", "write_request"]
