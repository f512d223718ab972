"""
The beginning of a stream, kept back until a model has begun to speak; used by `dispatch`.

A status of 200 says little: some providers send it before they know whether they can answer. What is kept back can
still be exchanged for another provider's answer, which the client never notices.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING

from tollway_dialects.errors import MALFORMED_EVENT
from tollway_dialects.estimate import tokens_of_bytes
from tollway_dialects.sse import before_malformed
from tollway_dialects.wires import WIRES

from tollway_provider_dispatch.domain.call import BROKEN, End, Failure, Piece
from tollway_provider_dispatch.domain.ports import UpstreamBroken
from tollway_provider_dispatch.domain.trying.tries import RETRY_AFTER_MS
from tollway_provider_dispatch.domain.trying.verdict import Fault, Verdict, verdict_of_broken, verdict_of_event

if TYPE_CHECKING:
    from tollway_provider_dispatch.domain.call import ChatCall, Head
    from tollway_provider_dispatch.domain.ports import Clock, StreamLimits, UpstreamAnswer
    from tollway_provider_dispatch.domain.trying.tries import Tries

# what an upstream gets to end its answer after the final event
DRAIN_SECONDS = 0.5
# signs of life are kept from the client for so long, since proxies on the way cut connections that are silent
HOLD_SECONDS = 10.0
MOST_BYTES = 64 * 1024 * 1024
"""Of an answer that is kept back to its end."""
# the beginning of a block that Anthropic's models think in; what they think may stay away for long
_THINKS = b'"thinking"'


class Opening:
    """An event stream whose status has come."""

    __slots__ = ("_final_event", "_thinks", "answer", "head", "held", "reader")

    def __init__(self, call: ChatCall, head: Head, answer: UpstreamAnswer) -> None:
        self.head = head
        self.answer = answer
        self.reader = WIRES[call.dialect].stream_reader(
            tokens_of_bytes(len(call.body)), strip_usage=call.strip_usage_event
        )
        self._thinks = call.thinks
        self._final_event = WIRES[call.dialect].final_event
        self.held = b""
        """Whole events that came and were not handed on yet."""

    async def begin(
        self, limits: StreamLimits | None, clock: Clock, started: float, *, is_buffered: bool = False
    ) -> Fault | None:
        """Read until the model speaks, for `HOLD_SECONDS` at most, or to the end; return what went wrong before."""
        held: list[bytes] = []
        try:
            fault = await self._hold(held, limits, clock, started, is_buffered=is_buffered)
        except UpstreamBroken as broken:
            fault = verdict_of_broken(broken)
        self.held = held[0] if len(held) == 1 else b"".join(held)
        if self.reader.error:
            return verdict_of_event(self.reader.error, last_data(self.held))
        return fault

    async def _hold(
        self, held: list[bytes], limits: StreamLimits | None, clock: Clock, started: float, *, is_buffered: bool
    ) -> Fault | None:
        reader, size = self.reader, 0
        limit = (limits.thinking if self._thinks else limits.opening).first_byte if limits else inf
        while data := await self.answer.piece():
            held.append(reader.feed(data))
            if reader.error:
                return None
            if reader.is_complete or (reader.streamed and not is_buffered):
                if limits is not None:
                    self.answer.limit_stall(limits.stall)
                return None
            size += len(data)
            if size > MOST_BYTES:
                return Fault(Verdict.FAILED, "malformed_response")
            if reader.streamed:
                if limits is not None:
                    self.answer.limit_stall(limits.stall)
                continue
            passed = clock.now() - started
            if limits is not None and not self._thinks and _THINKS in data:
                self._thinks, limit = True, limits.thinking.first_byte
                self.answer.limit_stall(limit)
            if passed > limit:  # signs of life do not count: they may go on for ever
                return verdict_of_broken(UpstreamBroken("timeout", "no token came in time"))
            if passed > HOLD_SECONDS and limit - passed > HOLD_SECONDS and not is_buffered:
                return None
        held.append(self.finish())
        if reader.is_complete:
            return None
        return verdict_of_broken(UpstreamBroken("ended_early", "the stream ended before it began"))

    def finish(self) -> bytes:
        """Return the final event of a stream that ended without it and had told all: why it stopped, and its usage."""
        reader = self.reader
        if reader.is_complete or reader.error or not reader.stop_reason or reader.usage.is_estimated:
            return b""
        return reader.feed(self._final_event)

    def failed(self, tries: Tries, fault: Fault) -> Piece:
        """Return what is told where nobody else is left."""
        tries.end(BROKEN, self.reader.usage, fault.reason)
        row = tries.rows[-1]
        if self.reader.streamed:
            end = End(is_complete=False, reason=fault.reason)
            held = before_malformed(self.held) if self.reader.error == MALFORMED_EVENT else self.held
            if self.reader.error:  # its event may quote the key
                held = tries.route.key.masked_in(held)
            return Piece(self.head, held, row.usage, end, attempts=tuple(tries.rows))
        reason = "UPSTREAM_TIMEOUT" if fault.reason == "timeout" else "UPSTREAM_UNREACHABLE"
        failure = Failure(reason, f"provider {row.provider} did not answer ({fault.reason}); try again", RETRY_AFTER_MS)
        return Piece(usage=row.usage, failure=failure, attempts=tuple(tries.rows))


def last_data(events: bytes) -> bytes:
    """Return the data of the last event, where an error stands."""
    return events.rstrip().rpartition(b"data: ")[2]


async def drain(answer: UpstreamAnswer) -> None:
    """Read to the end that is due now, so that the connection can be kept; one that does not come is not waited for."""
    if answer.has_ended:
        return
    with suppress(TimeoutError, UpstreamBroken):
        async with asyncio.timeout(DRAIN_SECONDS):
            while await answer.piece():
                pass
