"""
A stream that broke off after something of it was delivered, taken on by another candidate; used by `dispatch`.

The other one is asked the same, and its text must begin as the delivered one did, or it is told the delivered text and
goes on from there, where its model does that. Nothing is ever delivered that either of them did not say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from tollway_dialects.continuation import CannotGoOn, continuation_of, delivered_of
from tollway_dialects.dialect import Dialect
from tollway_dialects.request import RequestBody

from tollway_provider_dispatch.domain.call import BROKEN, SUCCEEDED, End, Piece
from tollway_provider_dispatch.domain.ports import UpstreamBroken
from tollway_provider_dispatch.domain.trying.verdict import Fault, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from typing import TypeAlias

    from tollway_dialects.continuation import Continuation, Delivered

    from tollway_provider_dispatch.domain.call import Attempt, ChatCall
    from tollway_provider_dispatch.domain.candidate import Candidate
    from tollway_provider_dispatch.domain.trying.opening import Opening
    from tollway_provider_dispatch.domain.trying.tries import Tries

    Ask: TypeAlias = Callable[[ChatCall, Tries], Awaitable[tuple[Opening | Piece, Fault | None]]]

MOST_BYTES = 256 * 1024
"""Of a stream that is longer nothing is kept, so it cannot be taken on."""
MOST_TRIES = 2


class Kept:
    """What was delivered of a stream, as long as it is not too much."""

    __slots__ = ("_pieces", "_room")

    def __init__(self, first: bytes) -> None:
        self._pieces = [first]
        self._room = MOST_BYTES

    def add(self, piece: bytes) -> None:
        self._room -= len(piece)
        if self._room >= 0:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def delivered(self, call: ChatCall) -> Delivered:
        """Read it; raises `CannotGoOn`."""
        if self._room < 0:
            raise CannotGoOn("too much was delivered")
        return delivered_of(call.dialect, self._pieces)


async def take_on(call: ChatCall, tries: Tries, kept: Kept, fault: Fault, ask: Ask) -> AsyncGenerator[Piece, None]:
    """Yield the rest of a stream, the last piece with its end; nothing where nobody can go on."""
    is_noted = True
    for _ in range(MOST_TRIES):
        try:
            delivered = kept.delivered(call)
        except CannotGoOn:
            return
        # the same route would be asked for the same money, and has just shown what it does
        if not await tries.again(msgspec.structs.replace(fault, may_retry=False), is_noted=is_noted):
            return
        opened, failed, is_prefilled = await _ask(call, tries, delivered.text, ask)
        if failed is not None or isinstance(opened, Piece):
            # a refusal is of what was asked here, and never the client's to read
            is_noted = failed is None or failed.verdict is Verdict.REFUSED
            fault = Fault(Verdict.FAILED, failed.reason if failed else "no_stream") if is_noted else failed or fault
            continue
        reason = "ended_early"
        try:
            async for piece in _rest(
                tries, opened, continuation_of(call.dialect, delivered, is_prefilled=is_prefilled)
            ):
                kept.add(piece.data)
                yield piece
                if piece.end:
                    return
        except CannotGoOn:
            reason = "disagrees"
        except UpstreamBroken as broken:
            reason = broken.reason
        finally:
            opened.answer.close()
        tries.end(BROKEN, opened.reader.usage, reason)
        fault, is_noted = Fault(Verdict.FAILED, reason), reason == "disagrees"  # which is no fault of a provider's


async def _ask(call: ChatCall, tries: Tries, text: str, ask: Ask) -> tuple[Opening | Piece, Fault | None, bool]:
    """Ask the present route to go on, and where it refuses, or its model cannot, to say it all; say which it was."""
    if _goes_on_from_text(call, tries.route.candidate) and text.strip():
        opened, failed = await ask(_prefilled(call, text), tries)
        if failed is None or failed.verdict is not Verdict.REFUSED:
            return opened, failed, True
    return *await ask(call, tries), False


async def _rest(tries: Tries, opened: Opening, continuation: Continuation) -> AsyncGenerator[Piece, None]:
    row = tries.rows[-1]
    told: tuple[Attempt, ...] = tuple(tries.rows)
    async for data in _read(opened):
        row.usage = opened.reader.usage  # its own, and not the client's to pay before it has gone on to the end
        if news := continuation.feed(data):
            yield Piece(data=news, attempts=told)
            told = ()
    if opened.reader.is_complete:
        await tries.succeeded()
        yield _taken_on(tries, opened)


async def _read(opened: Opening) -> AsyncGenerator[bytes, None]:
    """Yield whole events; raises `UpstreamBroken` where one of them is an error."""
    reader = opened.reader
    if opened.held:
        yield opened.held
    while not reader.is_complete:
        data = await opened.answer.piece()
        if not data:
            yield opened.finish()
            return
        handed_on = reader.feed(data)
        if reader.error:
            raise UpstreamBroken(reader.error, "an error came in mid-stream")
        if handed_on:
            yield handed_on


def _taken_on(tries: Tries, opened: Opening) -> Piece:
    tries.end(SUCCEEDED, opened.reader.usage)
    candidate = tries.route.candidate
    end = End(
        is_complete=True,
        stop_reason=opened.reader.stop_reason or "",
        provider=candidate.provider.name,
        model=candidate.model,
    )
    return Piece(usage=opened.reader.usage, end=end, attempts=tuple(tries.rows))


def _goes_on_from_text(call: ChatCall, candidate: Candidate) -> bool:
    # in other dialects an assistant's text at the end is a turn like any other, and the answer begins anew
    return candidate.takes_prefill and candidate.spoken_to(call.dialect) is Dialect.ANTHROPIC_MESSAGES


def _prefilled(call: ChatCall, text: str) -> ChatCall:
    """Return the call with the delivered text as what the assistant has said so far."""
    body = RequestBody.parse(bytes(call.body))
    messages: Sequence[object] = body.get("messages", list[msgspec.Raw]) or []
    # spaces at its end are refused
    body.set("messages", [*messages, {"role": "assistant", "content": text.rstrip()}], "messages")
    return msgspec.structs.replace(call, body=body.raw)
