"""Cuts an event stream into events, whatever its line ends and wherever the network cut it."""

from __future__ import annotations

import json
import re

# a blank line's end and the line end before it; the first \r of \r\n\r\n needs no match to find where it ends
_BOUNDARY = re.compile(rb"\n\r?\n|\r\r")
_BOUNDARY_BYTES = 3
_LINE_END = re.compile(rb"\r\n|\n|\r")
# as numbers: `b"\r" in data` raises and catches an error inside before it looks
_CR, _LF = b"\r\n"
# an event whose one line of data is its last, and whatever is left once there is something else; no possessive group,
# with which 3.11.2 finds nothing, and which nothing would be saved by: no line can be matched in two ways
_PLAIN_EVENT = re.compile(rb"(?:(?!data).+\n)*data: (.+)\n\n|[\s\S]+")
MAX_EVENT = 16 * 1024 * 1024
"""Bytes of an event that may wait for their end."""


class EventSplitter:
    """Feed bytes, get whole events (their final blank line included); what is unfinished waits."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._size = 0
        self._seam = b""
        self.is_between = True
        """What comes next begins an event."""
        self.is_too_long = False
        """More than `MAX_EVENT` bytes came without an event's end; what follows is not looked at."""

    def plain_data(self, data: bytes) -> list[bytes]:
        """
        Return the data of each event where nothing waits and `data` is whole events of one data line each.

        That is what providers send, and one search finds it. Nothing where it may be otherwise: then `feed` says.
        """
        if not self.is_between or data[-2:] != b"\n\n" or _CR in data:
            return []
        found: list[bytes] = _PLAIN_EVENT.findall(data)
        return found if found[-1] else []  # no match skips a byte, and the one of what is left has no data

    def cuts(self, data: bytes) -> list[bytes]:
        """
        Return what is to be fed one after the other: the end of the event that waits, whole events, a beginning.

        A read ends anywhere, and the events in its middle need not be looked at one by one for that.
        """
        start = data.find(b"\n\n") + 2 if self._waiting else 0
        end = data.rfind(b"\n\n") + 2
        if start == 1 or end <= start:
            return [data]
        return [part for part in (data[:start], data[start:end], data[end:]) if part]

    def feed(self, data: bytes) -> list[bytes]:
        if self.is_too_long:
            return []
        if self._waiting:
            self._waiting.append(data)
            seam = self._seam + data
            if not _BOUNDARY.search(seam):  # joined once an event, not once a piece: long events come in many
                self._wait_on(self._size + len(data), seam)
                return []
            data = b"".join(self._waiting)
        events = []
        start = 0
        for boundary in _BOUNDARY.finditer(data):
            events.append(data[start : boundary.end()])
            start = boundary.end()
        rest = data[start:]
        self._waiting = [rest] if rest else []
        self._wait_on(len(rest), rest)
        return events

    def _wait_on(self, size: int, seam: bytes) -> None:
        self._size = size
        self.is_between = not size
        self._seam = seam[1 - _BOUNDARY_BYTES :]
        if size > MAX_EVENT:
            self.is_too_long = True
            self._waiting = []


def one_a_line(data: list[bytes]) -> bytes:
    """
    Return JSON values as lines of one array each, to be decoded at once as `tuple[X]`.

    As many arrays as values are found only where every value is whole: no other JSON goes on over `]`, line end, `[`.
    """
    return b"[%b]" % b"]\n[".join(data)


def event_data(event: bytes) -> bytes:
    """Return the joined `data:` lines of one event; empty for comments."""
    # the two commonest forms by far: one line of data, with its name before it (Anthropic) or without (OpenAI)
    name, _, data = event.partition(b"data: ")
    if not name or (name[:6] == b"event:" and name[-1:] == b"\n" and name.count(b"\n") == 1):
        data = data.rstrip(b"\r\n")
        if data and _LF not in data and _CR not in data and _CR not in name:
            return data
    lines = [line[5:].removeprefix(b" ") for line in _LINE_END.split(event) if line.startswith(b"data:")]
    return b"\n".join(lines)


def is_object(data: bytes) -> bool:
    """Say whether data that did not fit the shape we read is a JSON object all the same, so a client may know it."""
    try:
        return isinstance(json.loads(data), dict)
    except (ValueError, RecursionError):
        return False


def before_malformed(events: bytes) -> bytes:
    """Return whole events up to the first whose data no client could read."""
    readable = []
    for event in EventSplitter().feed(events):
        data = event_data(event)
        if data and data != b"[DONE]" and not is_object(data):
            break
        readable.append(event)
    return b"".join(readable)


def format_event(data: bytes, name: str = "") -> bytes:
    head = b"event: %s\n" % name.encode() if name else b""
    return b"%sdata: %s\n\n" % (head, data)
