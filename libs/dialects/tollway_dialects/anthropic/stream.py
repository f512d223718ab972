"""Reads an Anthropic event stream as it passes: usage, stop reason, final event, error event."""

from __future__ import annotations

import msgspec

from tollway_dialects.anthropic.shapes import AnthropicUsage, Event, merge_usage
from tollway_dialects.anthropic.text_events import BEGINNINGS, MANY_BYTES, TEXT_AT, find_text, take_out
from tollway_dialects.errors import MALFORMED_EVENT
from tollway_dialects.estimate import tokens_of_piece, tokens_of_text
from tollway_dialects.sse import EventSplitter, event_data, is_object, one_a_line
from tollway_dialects.usage import Usage

_EVENT = msgspec.json.Decoder(Event)
_EVENTS = msgspec.json.Decoder(tuple[Event])


class AnthropicStreamReader:
    """
    A `StreamReader`; hands every event on untouched.

    `message_start` names the input, `message_delta` the final output. Until that came, output is counted from the
    deltas: message_start's own output count is a placeholder.
    """

    kept_id = ""

    def __init__(self, input_estimate: int) -> None:
        self.is_complete = False
        self.error: str | None = None
        self.stop_reason: str | None = None
        self.told = Usage(uncached_input=input_estimate)
        self.streamed = 0
        self._is_final = False
        self._events = EventSplitter()

    @property
    def usage(self) -> Usage:
        if self._is_final:
            return self.told
        return msgspec.structs.replace(self.told, output=self.streamed, is_estimated=True)

    def feed(self, data: bytes) -> bytes:
        if self._events.is_between:
            if data.startswith(BEGINNINGS) and (text := find_text(data, TEXT_AT)):
                self.streamed += tokens_of_piece(text.end(1) - TEXT_AT)
                return data
            others, tokens = take_out(data) if len(data) > MANY_BYTES else (data, 0)
            seen = self._read_plain(others)
            if seen is not None:
                self.streamed += tokens
                for each in seen:
                    self._note(each)
                return data
        if len(cuts := self._events.cuts(data)) > 1:
            return b"".join(map(self.feed, cuts))
        events = self._events.feed(data)
        for event in events:
            self._read(event)
        if self._events.is_too_long:
            self.error = self.error or MALFORMED_EVENT
        return b"".join(events)

    def _read_plain(self, events: bytes) -> list[Event] | None:
        """Return them; None where one of them is odd, and each must be looked at."""
        if not events:
            return []
        plain = self._events.plain_data(events)
        if not plain:
            return None
        try:
            seen = [_EVENT.decode(plain[0])] if len(plain) == 1 else _read_all(plain)
        except (ValueError, RecursionError):
            return None
        return seen if len(seen) == len(plain) else None

    def _read(self, event: bytes) -> None:
        data = event_data(event)
        if not data:
            return
        try:
            seen = _EVENT.decode(data)
        except (ValueError, RecursionError):
            if not is_object(data):
                self.error = MALFORMED_EVENT
            return
        self._note(seen)

    def _note(self, seen: Event) -> None:
        if seen.type == "content_block_delta" and seen.delta:
            delta = seen.delta
            self.streamed += tokens_of_text(delta.text or delta.thinking or delta.partial_json)
        elif seen.type == "message_start" and seen.message:
            self.told = merge_usage(self.told, seen.message.usage or AnthropicUsage())
        elif seen.type == "message_delta":
            self._finish(seen)
        elif seen.type == "message_stop":
            self.is_complete = True
        elif seen.type == "error":
            self.error = seen.error.type if seen.error else "api_error"

    def _finish(self, seen: Event) -> None:
        if seen.delta:
            self.stop_reason = seen.delta.stop_reason or self.stop_reason
        if seen.usage:
            self.told = merge_usage(self.told, seen.usage)
            self._is_final |= seen.usage.output_tokens is not None


def _read_all(plain: list[bytes]) -> list[Event]:
    return [event for (event,) in _EVENTS.decode_lines(one_a_line(plain))]
