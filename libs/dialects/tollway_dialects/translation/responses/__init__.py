"""OpenAI Responses: requests in and out, streams in and out, errors."""

from tollway_dialects.translation.responses.request_in import read_request
from tollway_dialects.translation.responses.request_out import write_request

__all__ = ["read_request", "write_request"]
