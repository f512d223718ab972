"""
The beginning of a stream, kept back until a model has begun to speak; used by `dispatch`.

A status of 200 says little: some providers send it before they know whether they can answer. What is kept back can
still be exchanged for another provider's answer, which the client never notices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.estimate import tokens_of_bytes
from tollway_dialects.wires import WIRES

from tollway_provider_dispatch.domain.call import End, Failure, Outcome, Piece
from tollway_provider_dispatch.domain.ports import UpstreamBroken
from tollway_provider_dispatch.domain.tries import RETRY_AFTER_MS
from tollway_provider_dispatch.domain.verdict import verdict_of_broken, verdict_of_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_provider_dispatch.domain.call import ChatCall, Head
    from tollway_provider_dispatch.domain.ports import Clock, TimeLimits, UpstreamAnswer
    from tollway_provider_dispatch.domain.tries import Tries
    from tollway_provider_dispatch.domain.verdict import Fault

# signs of life are kept from the client for so long, since proxies on the way cut connections that are silent
HOLD_SECONDS = 10.0


class Opening:
    """An event stream whose status has come."""

    __slots__ = ("answer", "head", "held", "reader", "upstream")

    def __init__(self, call: ChatCall, head: Head, answer: UpstreamAnswer) -> None:
        self.head = head
        self.answer = answer
        self.reader = WIRES[call.dialect].stream_reader(
            tokens_of_bytes(len(call.body)), strip_usage=call.strip_usage_event
        )
        self.upstream: AsyncIterator[bytes] = answer.pieces()
        self.held = b""
        """Whole events that came and were not handed on yet."""

    async def begin(self, limits: TimeLimits | None, clock: Clock, started: float) -> Fault | None:
        """Read until the model speaks, or for `HOLD_SECONDS`; return what went wrong before."""
        reader = self.reader
        try:
            async for data in self.upstream:
                handed_on = reader.feed(data)
                self.held = self.held + handed_on if self.held else handed_on
                if reader.error:
                    return verdict_of_event(reader.error, last_data(self.held))
                if reader.streamed or reader.is_complete:
                    if limits is not None:
                        self.answer.limit_stall(limits.stall)
                    return None
                passed = clock.now() - started
                if (
                    limits is not None and passed > limits.first_byte
                ):  # signs of life do not count: they may go on for ever
                    return verdict_of_broken(UpstreamBroken("timeout", "no token came in time"))
                if passed > HOLD_SECONDS:
                    return None
        except UpstreamBroken as broken:
            return verdict_of_broken(broken)
        return verdict_of_broken(UpstreamBroken("ended_early", "the stream ended before it began"))

    def failed(self, tries: Tries, fault: Fault) -> Piece:
        """Return what is told where nobody else is left."""
        tries.end(Outcome.BROKEN, self.reader.usage, fault.reason)
        row = tries.rows[-1]
        if self.reader.streamed:
            end = End(is_complete=False, reason=fault.reason)
            return Piece(self.head, self.held, row.usage, end, attempts=tuple(tries.rows))
        reason = "UPSTREAM_TIMEOUT" if fault.reason == "timeout" else "UPSTREAM_UNREACHABLE"
        failure = Failure(reason, f"provider {row.provider} did not answer ({fault.reason}); try again", RETRY_AFTER_MS)
        return Piece(usage=row.usage, failure=failure, attempts=tuple(tries.rows))


def last_data(events: bytes) -> bytes:
    """Return the data of the last event, where an error stands."""
    return events.rstrip().rpartition(b"data: ")[2]
