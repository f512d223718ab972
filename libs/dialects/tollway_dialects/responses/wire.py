"""OpenAI Responses as edge and provider-dispatch use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_dialects.dialect import Dialect, Wire
from tollway_dialects.errors import GatewayErrorKind, openai_error_body
from tollway_dialects.responses import replay
from tollway_dialects.responses.shapes import COMPLETED, read_event, read_response
from tollway_dialects.responses.stream import ResponsesStreamReader
from tollway_dialects.sse import EventSplitter, event_data, format_event

if TYPE_CHECKING:
    from tollway_dialects.dialect import StreamReader
    from tollway_dialects.request import RequestBody
    from tollway_dialects.usage import Usage

# the provider puts what it keeps under these before the input
_KEPT_INPUT = ("previous_response_id", "conversation", "prompt")
_ENDED = frozenset({"error", "response.failed"})


class OpenAIResponsesWire(Wire):
    """A `Wire`."""

    dialect = Dialect.OPENAI_RESPONSES
    path = "/v1/responses"
    output_limits = ("max_output_tokens",)
    # an answer repeats nearly every field of its request, so that others than these make another answer
    not_shaping = frozenset({"stream", "stream_options"})

    def is_cacheable(self, body: RequestBody) -> bool:
        return not (self.keeps_answer(body) or self.adds_kept_input(body) or self.outlives_answer(body))

    def keeps_answer(self, body: RequestBody) -> bool:
        # it is the default; what is kept has an id at the provider that belongs to one caller
        return body.get("store", bool) is not False

    def kept_answer_named(self, body: RequestBody) -> str:
        return body.get("previous_response_id", str) or ""

    def read_kept_id(self, body: bytes) -> str:
        answer = read_response(body)
        return answer.id if answer else ""

    def adds_kept_input(self, body: RequestBody) -> bool:
        return any(body.names(name) for name in _KEPT_INPUT)

    def outlives_answer(self, body: RequestBody) -> bool:
        return body.get("background", bool) or False

    def read_usage(self, body: bytes) -> tuple[Usage | None, str | None]:
        answer = read_response(body)
        if answer is None:
            return None, None
        return (answer.usage.normalised() if answer.usage else None), answer.stop_reason()

    def stream_reader(self, input_estimate: int, *, strip_usage: bool) -> StreamReader:
        return ResponsesStreamReader(input_estimate)  # usage is part of the final event: nothing to strip

    def to_events(self, body: bytes, *, with_usage: bool) -> bytes:
        return replay.to_events(body)

    def from_events(self, events: bytes, usage: Usage) -> bytes:
        return replay.from_events(events, usage)

    def error_body(self, kind: GatewayErrorKind, message: str, request_id: str) -> bytes:
        return openai_error_body(kind, message)

    def error_event(self, kind: GatewayErrorKind, message: str, request_id: str, after: bytes = b"") -> bytes:
        last = -1
        for event in EventSplitter().feed(after):
            if seen := read_event(event_data(event)):
                if seen.type in _ENDED:  # the provider has said so itself, and a stream ends once
                    return b""
                last = last if seen.sequence_number is None else seen.sequence_number
        code = kind.openai_code or kind.openai_type
        error = {"type": "error", "code": code, "message": message, "param": None, "sequence_number": last + 1}
        return format_event(msgspec.json.encode(error), "error")

    def is_storable(self, stop_reason: str | None) -> bool:
        return stop_reason == COMPLETED
