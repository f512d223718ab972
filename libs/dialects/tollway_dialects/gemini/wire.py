"""Gemini's generateContent as provider-dispatch uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_dialects.dialect import Dialect, Wire
from tollway_dialects.errors import GatewayErrorKind, ends_in_error
from tollway_dialects.gemini import replay
from tollway_dialects.gemini.shapes import CALLED, read_chunk
from tollway_dialects.gemini.stream import GeminiStreamReader
from tollway_dialects.sse import format_event

if TYPE_CHECKING:
    from tollway_dialects.dialect import StreamReader
    from tollway_dialects.request import RequestBody
    from tollway_dialects.usage import Usage

_WHOLE = frozenset({"STOP", "MAX_TOKENS"})
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "RESOURCE_EXHAUSTED",
    404: "NOT_FOUND",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class GeminiWire(Wire):
    """A `Wire`."""

    dialect = Dialect.GEMINI
    path = "/v1beta/models/{model}:generateContent"
    output_limits = ()
    """The limit stands in `generationConfig`, below the top level."""
    not_shaping = frozenset({"labels"})

    def is_cacheable(self, body: RequestBody) -> bool:
        return not self.adds_kept_input(body)

    def adds_kept_input(self, body: RequestBody) -> bool:
        return body.names("cachedContent")

    def read_usage(self, body: bytes) -> tuple[Usage | None, str | None]:
        try:
            answer = read_chunk(body)
        except (ValueError, RecursionError):
            return None, None
        reason = answer.block_reason()
        for candidate in answer.candidates or ():
            is_call = any(part.function_call for part in candidate.parts())
            reason = CALLED if is_call and candidate.finish_reason == "STOP" else candidate.finish_reason
        return (answer.usage_metadata.normalised() if answer.usage_metadata else None), reason

    def stream_reader(self, input_estimate: int, *, strip_usage: bool) -> StreamReader:
        return GeminiStreamReader(input_estimate)  # usage is part of every chunk: nothing to strip

    def to_events(self, body: bytes, *, with_usage: bool) -> bytes:
        return replay.to_events(body)

    def from_events(self, events: bytes, usage: Usage) -> bytes:
        return replay.from_events(events, usage)

    def error_body(self, kind: GatewayErrorKind, message: str, request_id: str) -> bytes:
        fallback = "INVALID_ARGUMENT" if kind.status < 500 else "INTERNAL"
        error = {"code": kind.status, "message": message, "status": _STATUSES.get(kind.status, fallback)}
        return msgspec.json.encode({"error": error})

    def error_event(self, kind: GatewayErrorKind, message: str, request_id: str, after: bytes = b"") -> bytes:
        if ends_in_error(self.stream_reader(0, strip_usage=False), after):
            return b""
        return format_event(self.error_body(kind, message, request_id))

    def is_storable(self, stop_reason: str | None) -> bool:
        return stop_reason in _WHOLE


def path_of(model: str, *, is_stream: bool) -> str:
    """Return where a provider takes requests for a model: name and way of answering stand in the path."""
    return f"/v1beta/models/{model}:{'streamGenerateContent?alt=sse' if is_stream else 'generateContent'}"
