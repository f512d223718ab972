"""OpenAI chat completions: requests in and out, streams in and out, errors."""

from tollway_dialects.translation.chat.fault import fault_body, fault_of
from tollway_dialects.translation.chat.request_in import read_request
from tollway_dialects.translation.chat.request_out import write_request
from tollway_dialects.translation.chat.stream_in import ChatDecoder
from tollway_dialects.translation.chat.stream_out import ChatEncoder

__all__ = ["ChatDecoder", "ChatEncoder", "fault_body", "fault_of", "read_request", "write_request"]
