"""OpenAI chat completions as edge and provider-dispatch use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_dialects.dialect import Dialect, Wire
from tollway_dialects.errors import GatewayErrorKind, ends_in_error, openai_error_body
from tollway_dialects.openai import replay
from tollway_dialects.openai.shapes import WHOLE, Chunk, merge_stop_reason
from tollway_dialects.openai.stream import OpenAIStreamReader
from tollway_dialects.sse import format_event

if TYPE_CHECKING:
    from tollway_dialects.dialect import StreamReader
    from tollway_dialects.request import RequestBody
    from tollway_dialects.usage import Usage

_ANSWER = msgspec.json.Decoder(Chunk)


class OpenAIChatWire(Wire):
    """A `Wire`."""

    dialect = Dialect.OPENAI_CHAT
    path = "/v1/chat/completions"
    output_limits = ("max_tokens", "max_completion_tokens")
    not_shaping = frozenset(
        {"stream", "stream_options", "metadata", "user", "safety_identifier", "prompt_cache_key", "service_tier"}
    )
    always_streams_usage = False
    final_event = format_event(b"[DONE]")

    def is_cacheable(self, body: RequestBody) -> bool:
        return not body.get("store", bool)  # each stored completion has an id of its own at the provider

    def read_usage(self, body: bytes) -> tuple[Usage | None, str | None]:
        try:
            answer = _ANSWER.decode(body)
        except (ValueError, RecursionError):
            return None, None
        stop_reason = None
        for choice in answer.choices:
            stop_reason = merge_stop_reason(stop_reason, choice.finish_reason)
        return (answer.usage.normalised() if answer.usage else None), stop_reason

    def stream_reader(self, input_estimate: int, *, strip_usage: bool) -> StreamReader:
        return OpenAIStreamReader(input_estimate, strip_usage=strip_usage)

    def to_events(self, body: bytes, *, with_usage: bool) -> bytes:
        return replay.to_events(body, with_usage=with_usage)

    def from_events(self, events: bytes, usage: Usage) -> bytes:
        return replay.from_events(events, usage)

    def error_body(self, kind: GatewayErrorKind, message: str, request_id: str) -> bytes:
        return openai_error_body(kind, message)

    def error_event(self, kind: GatewayErrorKind, message: str, request_id: str, after: bytes = b"") -> bytes:
        if ends_in_error(self.stream_reader(0, strip_usage=False), after):
            return b""
        return format_event(self.error_body(kind, message, request_id))

    def is_storable(self, stop_reason: str | None) -> bool:
        return stop_reason in WHOLE
