"""Plays an answer on a connection as the script says: delays, paces, and every way to break; called by `app`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tollway_simulator.domain.refusal import scripted_refusal
from tollway_simulator.entrypoints.connection.exchange import EVENTS, HTML, JSON
from tollway_simulator.entrypoints.connection.trimming import trim, without_last_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tollway_simulator.domain.log import Entry
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.domain.script import Script
    from tollway_simulator.entrypoints.connection.exchange import Exchange
    from tollway_simulator.entrypoints.dialect import Dialect, Stream

EVENTS_PER_WRITE = 512
ERROR_PAGE = b"""<html>
<head><title>502 Bad Gateway</title></head>
<body>
<center><h1>502 Bad Gateway</h1></center>
<hr><center>proxy</center>
</body>
</html>
"""


class Failing(NamedTuple):
    """What an error in mid-stream is made of, besides what the script says."""

    status: int
    """The status of the error where the script does not say which."""
    prompt: Prompt
    request_id: str


async def play_bodiless(exchange: Exchange, entry: Entry, script: Script) -> None:
    """Send what is no answer of the provider's at all: a proxy's error page, or nothing."""
    body = ERROR_PAGE if script.html else b""
    entry.status = script.status or (502 if script.html else 200)
    await exchange.start(entry.status, HTML if script.html else EVENTS if entry.stream else JSON, len(body))
    await exchange.write(body, more=False)
    entry.completed = True


async def play_json(exchange: Exchange, entry: Entry, script: Script, words: int, body: bytes) -> None:
    """Send a JSON answer; a script may leave half of it away, garble it, or send nothing."""
    kind, _ = _break(script, words)
    if script.beat is not None:
        await _beat_json(exchange, script, kind)
    elif script.first_token:
        await exchange.pause(script.first_token)
    if kind == "stall":
        await exchange.pause(None)
    entry.status = 200
    if kind in ("", "fail", "unfinished"):
        if script.garbage is not None and script.garbage <= words:
            body = body[:-1] + b',"'
        await _send_json(exchange, body)
        entry.output_tokens, entry.completed = words, True
    elif kind == "end":
        await _send_json(exchange, body[: len(body) // 2])
    else:
        await exchange.start(200, JSON, len(body))
        await exchange.write(body[: len(body) // 2], more=True)
        await exchange.cut(is_reset=bool(script.reset))


async def _send_json(exchange: Exchange, body: bytes) -> None:
    if exchange.status:  # keep-alives went before
        await exchange.write(body, more=False)
    else:
        await exchange.respond(200, body)


def _seconds_before(script: Script) -> float:
    return (script.delay or 0) + (script.first_token or 0)


async def _beat_json(exchange: Exchange, script: Script, kind: str) -> None:
    await exchange.start(200, JSON, is_joined=False)
    await _wait(exchange, None if kind == "stall" else _seconds_before(script), script, b"\n")


async def play_stream(
    exchange: Exchange, entry: Entry, script: Script, stream: Stream, dialect: Dialect, failing: Failing
) -> None:
    """Send events: without a pace in as few writes as possible, with one each on its own."""
    kind, at = _break(script, len(stream.deltas))
    stream, tail = _broken(stream, kind, at, script, dialect, failing)
    entry.status = 200
    await exchange.start(200, stream.lines, is_joined=script.beat is None)
    if script.beat is not None:
        await _wait(exchange, script.delay or 0, script, dialect.keep_alive)
    if script.first_token:
        await exchange.write(stream.head, more=True)
        await _wait(exchange, script.first_token, script, dialect.keep_alive)
        stream = replace(stream, head=b"")
    first = True
    for data, words, is_last in _writes(stream, tail, EVENTS_PER_WRITE if script.pace is None else 1):
        if not first:
            await exchange.pause(script.pace or 0)
        first = False
        await exchange.write(data, more=not is_last)
        entry.output_tokens += words
        entry.completed = is_last and not kind
    if kind == "cut":
        await exchange.cut(is_reset=bool(script.reset))
    if kind == "stall":
        await _wait(exchange, None, script, dialect.keep_alive)


def _broken(
    stream: Stream, kind: str, at: int, script: Script, dialect: Dialect, failing: Failing
) -> tuple[Stream, bytes | None]:
    """Return the stream as it is to be sent, and its end; None where it has none."""
    last = b""
    if kind == "fail":
        sent_events = b"".join((stream.head, *stream.deltas[:at])).count(b"\n\n")
        refusal = scripted_refusal(script, failing.status)
        last = dialect.render_failure(failing.prompt, refusal, failing.request_id, sent_events)
    elif kind == "unfinished":
        last = without_last_event(stream.tail)
    if script.ping or script.comments or script.crlf or script.garbage is not None:
        stream, last = trim(stream, script, dialect, last)
    if not kind:
        return stream, stream.tail
    ends = kind in ("fail", "end", "unfinished")
    return replace(stream, deltas=stream.deltas[:at], tail=b""), last if ends else None


async def _wait(exchange: Exchange, seconds: float | None, script: Script, keep_alive: bytes) -> None:
    """Wait, for ever where seconds is None, with a sign of life now and then where the script wants it."""
    if script.beat is None:
        await exchange.pause(seconds)
        return
    left = float("inf") if seconds is None else seconds
    while left > 0:
        await exchange.pause(min(script.beat, left))
        left -= script.beat
        if left > 0:
            await exchange.write(keep_alive, more=True)


def _break(script: Script, words: int) -> tuple[str, int]:
    """Return how the answer breaks off and after how many words, if it does: the earliest that the script says."""
    if script.cut is None and script.stall is None and script.fail is None and script.end is None:
        return ("unfinished", words) if script.unfinished else ("", 0)
    kinds = (("cut", script.cut), ("stall", script.stall), ("fail", script.fail), ("end", script.end))
    whole = ("unfinished", words) if script.unfinished else ("", 0)
    return min(
        ((kind, at) for kind, at in kinds if at is not None and at <= words), key=lambda one: one[1], default=whole
    )


def _writes(stream: Stream, tail: bytes | None, step: int) -> Iterator[tuple[bytes, int, bool]]:
    """Yield what to write at once: data, words in it, whether it is the last; without a tail nothing is."""
    deltas = stream.deltas
    if step == 1:
        if stream.head:
            yield stream.head, 0, False
        for delta in deltas:
            yield delta, 1, False
        if tail is not None:
            yield tail, 0, True
        return
    for start in range(0, max(1, len(deltas)), step):
        batch = deltas[start : start + step]
        is_end = start + step >= len(deltas)
        data = b"".join((stream.head if start == 0 else b"", *batch, (tail or b"") if is_end else b""))
        yield data, len(batch), is_end and tail is not None
