"""Reads a Responses event stream as it passes: usage, status, final event, error event."""

from __future__ import annotations

import msgspec

from tollway_dialects.errors import MALFORMED_EVENT
from tollway_dialects.estimate import tokens_of_text
from tollway_dialects.responses.shapes import Event, read_event
from tollway_dialects.sse import EventSplitter, event_data
from tollway_dialects.usage import Usage

_FINAL = frozenset({"response.completed", "response.incomplete"})
# pieces that are no text
_SOUND = "response.audio.delta"


class ResponsesStreamReader:
    """
    A `StreamReader`; hands every event on untouched.

    The final event tells usage and status. Until it came, output is counted from the deltas.
    """

    def __init__(self, input_estimate: int) -> None:
        self.is_complete = False
        self.error: str | None = None
        self.stop_reason: str | None = None
        self.told = Usage(uncached_input=input_estimate, is_estimated=True)
        self.streamed = 0
        self.kept_id = ""
        self._events = EventSplitter()

    @property
    def usage(self) -> Usage:
        return msgspec.structs.replace(self.told, output=self.streamed) if self.told.is_estimated else self.told

    def feed(self, data: bytes) -> bytes:
        events = self._events.feed(data)
        for event in events:
            self._read(event)
        if self._events.is_too_long:
            self.error = self.error or MALFORMED_EVENT
        return b"".join(events)

    def _read(self, event: bytes) -> None:
        data = event_data(event)
        if not data or data == b"[DONE]":  # servers that imitate this dialect may end it as they end chat
            return
        seen = read_event(data)
        if seen is None:
            self.error = MALFORMED_EVENT
        elif seen.type.endswith(".delta"):
            if seen.type != _SOUND:
                self.streamed += tokens_of_text(seen.delta)
        elif seen.type == "response.created":
            self.kept_id = seen.response.id if seen.response else ""
        elif seen.type in _FINAL:
            self.is_complete = True
            self._finish(seen)
        elif seen.type == "response.failed":
            self._finish(seen)
            failed = seen.response and seen.response.error
            self.error = (failed and failed.code) or "upstream_error"
        elif seen.type == "error":
            self.error = seen.code or "upstream_error"

    def _finish(self, seen: Event) -> None:
        if seen.response is None:
            return
        self.stop_reason = seen.response.stop_reason()
        if seen.response.usage:
            self.told = seen.response.usage.normalised()
