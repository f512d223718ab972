"""OpenAI Responses: requests in and out, streams in and out; its errors are those of chat."""

from tollway_dialects.translation.responses.request_in import read_request
from tollway_dialects.translation.responses.request_out import write_request
from tollway_dialects.translation.responses.stream_in import ResponsesDecoder
from tollway_dialects.translation.responses.stream_out import ResponsesEncoder

__all__ = ["ResponsesDecoder", "ResponsesEncoder", "read_request", "write_request"]
