"""Changes the events of a stream as the script says: keep-alives between, garbage, line ends; called by `playback`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_simulator.entrypoints.dialect import Stream

if TYPE_CHECKING:
    from tollway_simulator.domain.script import Script
    from tollway_simulator.entrypoints.dialect import Dialect

COMMENT = b": keep-alive\n\n"


def trim(stream: Stream, script: Script, dialect: Dialect, last: bytes) -> tuple[Stream, bytes]:
    """Return the stream, and what ends it in place of its tail, as the script wants them to look."""
    if script.ping or script.comments:
        between = (dialect.keep_alive if script.ping else b"") + (COMMENT if script.comments else b"")
        stream = Stream(stream.head, [between + delta for delta in stream.deltas], stream.tail)
    if script.garbage is not None and script.garbage <= len(stream.deltas):
        stream = _with_garbage(stream, script.garbage, dialect.garbage)
    if script.crlf:
        deltas = [_crlf(delta) for delta in stream.deltas]
        stream, last = Stream(_crlf(stream.head), deltas, _crlf(stream.tail)), _crlf(last)
    return stream, last


def _with_garbage(stream: Stream, at: int, garbage: bytes) -> Stream:
    if at == 0:
        return Stream(stream.head + garbage, stream.deltas, stream.tail)
    deltas = list(stream.deltas)
    deltas[at - 1] += garbage
    return Stream(stream.head, deltas, stream.tail)


def _crlf(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")
