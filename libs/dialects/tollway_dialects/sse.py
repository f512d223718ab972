"""Cuts an event stream into events, whatever its line ends and wherever the network cut it; used by both dialects."""

from __future__ import annotations

import re

_BOUNDARY = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE_END = re.compile(rb"\r\n|\n|\r")


class EventSplitter:
    """Feed bytes, get whole events (their final blank line included); what is unfinished waits."""

    def __init__(self) -> None:
        self._waiting = b""

    def feed(self, data: bytes) -> list[bytes]:
        waiting = self._waiting + data if self._waiting else data
        events = []
        start = 0
        for boundary in _BOUNDARY.finditer(waiting):
            events.append(waiting[start : boundary.end()])
            start = boundary.end()
        self._waiting = waiting[start:]
        return events

    def rest(self) -> bytes:
        """Return the unfinished end and forget it."""
        rest, self._waiting = self._waiting, b""
        return rest


def event_data(event: bytes) -> bytes:
    """Return the joined `data:` lines of one event; empty for comments."""
    if event.count(b"\n") <= 2 and event.startswith(b"data: "):  # OpenAI's form, the commonest by far
        return event[6:].rstrip(b"\r\n")
    lines = [line[5:].removeprefix(b" ") for line in _LINE_END.split(event) if line.startswith(b"data:")]
    return b"\n".join(lines)


def format_event(data: bytes, name: str = "") -> bytes:
    head = b"event: %s\n" % name.encode() if name else b""
    return b"%sdata: %s\n\n" % (head, data)
