"""OpenAI chat completions: requests in and out, streams in and out, errors."""

from tollway_dialects.translation.chat.request_in import read_request
from tollway_dialects.translation.chat.request_out import write_request

__all__ = ["read_request", "write_request"]
