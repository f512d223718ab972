"""Plays an answer on a connection as the script says: delays, paces, cuts, stalls; called by `app`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_simulator.entrypoints.exchange import JSON_HEADERS, SSE_HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tollway_simulator.domain.answer import Answer
    from tollway_simulator.domain.log import Entry
    from tollway_simulator.domain.script import Script
    from tollway_simulator.entrypoints.dialect import Stream
    from tollway_simulator.entrypoints.exchange import Exchange, Headers

EVENTS_PER_WRITE = 512


async def play_json(
    exchange: Exchange, entry: Entry, script: Script, answer: Answer, body: bytes, headers: Headers
) -> None:
    """Send a JSON answer; `cut` leaves half of it away, `stall` sends nothing."""
    stops = _stops_at(script, len(answer.pieces)) is not None
    if stops and script.cut is None:
        await exchange.pause(None)
    if not stops:
        entry.status = 200
        await exchange.respond(200, body, headers)
        entry.output_tokens, entry.completed = len(answer.pieces), True
        return
    entry.status = 200
    await exchange.start(200, (*JSON_HEADERS, (b"content-length", b"%d" % len(body)), *headers))
    await exchange.write(body[: len(body) // 2], more=True)
    await exchange.cut()


async def play_stream(exchange: Exchange, entry: Entry, script: Script, stream: Stream, headers: Headers) -> None:
    """Send events: without a pace in as few writes as possible, with one each on its own."""
    stop = _stops_at(script, len(stream.deltas))
    entry.status = 200
    await exchange.start(200, (*SSE_HEADERS, *headers))
    first = True
    for data, words, is_last in _writes(stream, stop, EVENTS_PER_WRITE if script.pace is None else 1):
        if not first:
            await exchange.pause(script.pace or 0)
        first = False
        await exchange.write(data, more=not is_last)
        entry.output_tokens += words
        entry.completed = is_last
    if stop is None:
        return
    if script.cut is not None and stop == script.cut:
        await exchange.cut()
    await exchange.pause(None)


def _stops_at(script: Script, words: int) -> int | None:
    """Return after how many words the answer breaks off, if it does."""
    stops = [stop for stop in (script.cut, script.stall) if stop is not None and stop <= words]
    return min(stops) if stops else None


def _writes(stream: Stream, stop: int | None, step: int) -> Iterator[tuple[bytes, int, bool]]:
    """Yield what to write at once: data, words in it, whether it is the end of the answer."""
    deltas = stream.deltas if stop is None else stream.deltas[:stop]
    tail = stream.tail if stop is None else b""
    if step == 1:
        yield stream.head, 0, False
        for delta in deltas:
            yield delta, 1, False
        if tail:
            yield tail, 0, True
        return
    for start in range(0, max(1, len(deltas)), step):
        batch = deltas[start : start + step]
        is_end = start + step >= len(deltas)
        data = b"".join((stream.head if start == 0 else b"", *batch, tail if is_end else b""))
        yield data, len(batch), is_end and stop is None
