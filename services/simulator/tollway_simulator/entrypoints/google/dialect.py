"""Gemini's `generateContent` and `streamGenerateContent`; built by `routes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_simulator.entrypoints.google.answers import response
from tollway_simulator.entrypoints.google.provider import error_object
from tollway_simulator.entrypoints.google.streams import event, render_stream
from tollway_simulator.entrypoints.google.validation import checked_prompt

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.domain.refusal import Refusal
    from tollway_simulator.entrypoints.connection.exchange import Exchange
    from tollway_simulator.entrypoints.dialect import Stream


class GenerateContent:
    """Implements `Dialect`: one answer, a stream of events, or a stream that is one JSON array."""

    def __init__(self, *, is_stream: bool = False, is_array: bool = False) -> None:
        self._is_stream = is_stream
        self._is_array = is_array
        self.keep_alive = b"\r\n" if is_array else b": keep-alive\r\n\r\n"
        broken = b'{"candidates": [{"content": {"par'
        self.garbage = broken + b",\r\n" if is_array else event(broken)

    def read_prompt(self, exchange: Exchange, body: bytes) -> Prompt:
        return checked_prompt(exchange, body, stream=self._is_stream)

    def check_strictly(self, body: bytes) -> None:
        """Unknown fields are always refused."""

    def render_json(self, prompt: Prompt, answer: Answer, request_id: str) -> bytes:
        return msgspec.json.encode(response(prompt, answer, request_id))

    def render_stream(self, prompt: Prompt, answer: Answer, request_id: str, *, is_padded: bool) -> Stream:
        return render_stream(prompt, answer, request_id, is_array=self._is_array)

    def render_failure(self, prompt: Prompt, refusal: Refusal, request_id: str, sent_events: int) -> bytes:
        failure = msgspec.json.encode({"error": error_object(refusal)})
        return failure + b"\n]" if self._is_array else event(failure)
