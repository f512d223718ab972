"""Changes the events of a stream as the script says: keep-alives between, garbage, line ends; called by `playback`."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tollway_simulator.domain.script import Script
    from tollway_simulator.entrypoints.dialect import Dialect, Stream

COMMENT = b": keep-alive\n\n"

_EVENT_END = re.compile(rb"(?:\r?\n){2}")


def trim(stream: Stream, script: Script, dialect: Dialect, last: bytes) -> tuple[Stream, bytes]:
    """Return the stream, and what ends it in place of its tail, as the script wants them to look."""
    if script.ping or script.comments:
        between = (dialect.keep_alive if script.ping else b"") + (COMMENT if script.comments else b"")
        stream = replace(stream, deltas=[between + delta for delta in stream.deltas])
    if script.garbage is not None and script.garbage <= len(stream.deltas):
        stream = _with_garbage(stream, script.garbage, dialect.garbage)
    if script.crlf:
        deltas = [_crlf(delta) for delta in stream.deltas]
        stream, last = replace(stream, head=_crlf(stream.head), deltas=deltas, tail=_crlf(stream.tail)), _crlf(last)
    return stream, last


def without_last_event(tail: bytes) -> bytes:
    """Return the end of a stream without its final event, or without the end of its JSON array."""
    ends = [match.end() for match in _EVENT_END.finditer(tail)]
    return tail[: ends[-2]] if len(ends) > 1 else b""


def _with_garbage(stream: Stream, at: int, garbage: bytes) -> Stream:
    if at == 0:
        return replace(stream, head=stream.head + garbage)
    deltas = list(stream.deltas)
    deltas[at - 1] += garbage
    return replace(stream, deltas=deltas)


def _crlf(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
