"""Anthropic Messages as edge and provider-dispatch use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_dialects.anthropic import replay
from tollway_dialects.anthropic.shapes import Answer, merge_usage
from tollway_dialects.anthropic.stream import AnthropicStreamReader
from tollway_dialects.dialect import Dialect, Wire
from tollway_dialects.errors import GatewayErrorKind, anthropic_error_body, ends_in_error
from tollway_dialects.sse import format_event
from tollway_dialects.usage import Usage

if TYPE_CHECKING:
    from tollway_dialects.dialect import StreamReader
    from tollway_dialects.request import RequestBody

_ANSWER = msgspec.json.Decoder(Answer)
_NOTHING_KNOWN = Usage()
_WHOLE = frozenset({"end_turn", "stop_sequence", "max_tokens"})


class AnthropicWire(Wire):
    """A `Wire`."""

    dialect = Dialect.ANTHROPIC_MESSAGES
    path = "/v1/messages"
    output_limits = ("max_tokens",)
    final_event = format_event(b'{"type":"message_stop"}', "message_stop")
    not_shaping = frozenset({"stream", "metadata", "service_tier"})

    def is_cacheable(self, body: RequestBody) -> bool:
        return not body.names("container")  # what ran in it before is part of the question

    def read_usage(self, body: bytes) -> tuple[Usage | None, str | None]:
        try:
            answer = _ANSWER.decode(body)
        except (ValueError, RecursionError):
            return None, None
        return (merge_usage(_NOTHING_KNOWN, answer.usage) if answer.usage else None), answer.stop_reason

    def stream_reader(self, input_estimate: int, *, strip_usage: bool) -> StreamReader:
        return AnthropicStreamReader(input_estimate)  # usage is part of every Anthropic stream: nothing to strip

    def to_events(self, body: bytes, *, with_usage: bool) -> bytes:
        return replay.to_events(body)

    def from_events(self, events: bytes, usage: Usage) -> bytes:
        return replay.from_events(events)

    def error_body(self, kind: GatewayErrorKind, message: str, request_id: str) -> bytes:
        return anthropic_error_body(kind, message, request_id)

    def error_event(self, kind: GatewayErrorKind, message: str, request_id: str, after: bytes = b"") -> bytes:
        if ends_in_error(self.stream_reader(0, strip_usage=False), after):
            return b""
        return format_event(self.error_body(kind, message, request_id), "error")

    def is_storable(self, stop_reason: str | None) -> bool:
        return stop_reason in _WHOLE
