"""One link as its caller sees it: a `Carry` stream, the calls in flight on it, and how it ends. Made by `peers`."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from tollway_servicekit.channel import MAX_MESSAGE_BYTES
from tollway_servicekit.errors import DeadlineExceeded, Exhausted, Unavailable
from tollway_servicekit.link.deadlines import Deadlines
from tollway_servicekit.link.frames import (
    CANCEL,
    DRAIN,
    MAX_CALL_NUMBER,
    OPEN,
    TAKES_PARTS,
    BrokenFrames,
    call_frame,
    call_opening,
    credit_frame,
    frame,
    read_frames,
)
from tollway_servicekit.link.http2.caller import CONNECT_SECONDS, CallingConnection
from tollway_servicekit.link.http2.headers import UNIMPLEMENTED
from tollway_servicekit.link.parts import heads_of_parts
from tollway_servicekit.link.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tollway_servicekit.context import Metadata
    from tollway_servicekit.link.carry import CarryReader, Piece
    from tollway_servicekit.link.pending import Pending, PendingItems
    from tollway_servicekit.link.tally import Tally

log = logging.getLogger(__name__)


class Link:
    """
    Opened when it is made; ends once and is then replaced by another.

    Args:
        open_carry: Opens a stream to one peer for whom it is given.
        on_leave: Called once when no more calls may be started on this link: it drains or has ended.
        tally: Where what it does is counted.
    """

    def __init__(
        self,
        open_carry: Callable[[CarryReader], Awaitable[CallingConnection]],
        on_leave: Callable[[Link], None],
        tally: Tally,
    ) -> None:
        self.is_usable = True
        self.is_offered = True
        """False once the peer has said that it has no links."""
        self.takes_parts = False
        """Whether long requests may go on this link."""
        self.has_ended = False
        self.why = ""
        self.loop = asyncio.get_running_loop()
        self.opened = self.loop.create_future()
        """Whether the peer has answered; done at the latest when the link ends."""
        self._on_leave = on_leave
        self._stream: CallingConnection | None = None
        self._calls: dict[int, Pending] = {}
        self._number = 0
        self._tally = tally
        self._deadlines = Deadlines(self._calls, self._expire)
        self._writer = Writer(self._write, tally)
        self._opener = asyncio.create_task(self._open(open_carry))
        self._finisher: asyncio.Task[None] | None = None

    def is_ready(self) -> bool:
        """Say whether a call may be started without waiting."""
        return self.is_usable and self._writer.is_ready()

    @property
    def in_flight(self) -> int:
        """Calls that have not ended."""
        return len(self._calls)

    async def ready(self) -> None:
        """Wait for room; the link may have become unusable meanwhile."""
        await self._writer.ready()

    def start(self, call: Pending, path: str, metadata: Metadata, request: bytes) -> None:
        """
        Send a call; there must be room.

        Raises:
            ValueError: Metadata that cannot be sent; the call has not begun then.
        """
        data = call_frame(self._number + 1, path, metadata, call.timeout, request)
        self._begin(call)
        self._writer.put(data)

    async def start_in_parts(
        self, call: Pending, path: str, metadata: Metadata, request: bytes, tail: bytes = b""
    ) -> None:
        """
        Send a call with a long request, in turn with others; it may have ended when this returns.

        A tail belongs to the request, and is left where it is.

        Raises:
            ValueError: Metadata that cannot be sent; the call has not begun then.
            Exhausted: The request is larger than any may be.
        """
        if (length := len(request) + len(tail)) > MAX_MESSAGE_BYTES:
            raise Exhausted("RESOURCE_EXHAUSTED", f"the request has {length} bytes; {MAX_MESSAGE_BYTES} are the most")
        opening = call_opening(path, metadata, call.timeout)
        self._begin(call)
        self._tally.large += 1
        begun, long = (request, tail) if tail else (b"", request)
        await self._writer.send_long(long, heads_of_parts(call, opening, begun))

    def _begin(self, call: Pending) -> None:
        self._number = call.number = number = self._number + 1
        self._calls[number] = call
        self._tally.calls += 1
        if call.timeout is not None:
            call.due = self._deadlines.after(call.timeout)
        if number == MAX_CALL_NUMBER:
            self.drain()

    def credit(self, call: PendingItems, item: bytes) -> None:
        """Tell the peer, now and then, that the reader has taken items."""
        told = call.credit(item)
        if told and not call.has_ended:
            self._writer.put(credit_frame(call.number, told))

    def leave(self, call: Pending) -> None:
        """Forget a call; one that has not ended is cancelled at the peer."""
        if self._calls.pop(call.number, None) is None:
            return
        if not call.has_ended:
            self._writer.put(frame(call.number, CANCEL))
        if not self._calls and not self.is_usable:
            self._finish()

    def drain(self) -> None:
        """Start no more calls; the link ends with the last one in flight."""
        if self.is_usable:
            self.is_usable = False
            self._on_leave(self)
        if not self._calls:
            self._finish()

    async def close(self) -> None:
        """End at once; calls in flight end Unavailable."""
        self._opener.cancel()
        await asyncio.wait([self._opener])
        self._end("the link was closed")
        if self._finisher is not None:
            await asyncio.wait([self._finisher])
        if self._stream is not None:
            await self._stream.closed

    async def _open(self, open_carry: Callable[[CarryReader], Awaitable[CallingConnection]]) -> None:
        try:
            self._stream = await open_carry(self)
        except OSError as error:
            self._end(str(error))
        except Exception:
            log.exception("a link could not be opened")
            self._end("it cannot be connected to")
        else:
            if self.has_ended:
                self._stream.cancel()
            await asyncio.wait([self.opened], timeout=CONNECT_SECONDS)
            if not self.opened.done():
                self._end("the peer takes connections, and begins no link")

    def _write(self, frames: list[Piece], length: int) -> bool:
        return self._stream is None or self._stream.write(frames, length)

    def took(self, data: bytes, start: int, stop: int) -> None:
        """Hand each frame to its call."""
        if not self.opened.done():
            self.opened.set_result(True)
        try:
            for number, kind, body in read_frames(data, start, stop):
                if (call := self._calls.get(number)) is not None:
                    call.take(kind, body)
                elif kind == DRAIN:
                    self.drain()
                elif kind == OPEN:
                    self.takes_parts = body == TAKES_PARTS
        except BrokenFrames as error:
            self._end(f"the peer sent what is no frame: {error}")
        except Exception:
            log.exception("a link ended unexpectedly")
            self._end("the peer's answer could not be read")

    def has_room(self) -> None:
        self._writer.go_on()

    def half_closed(self) -> None:
        """Wait for the status, which ends the stream."""

    def going_away(self) -> None:
        self.drain()

    def ended(self, code: int, why: str) -> None:
        """End all calls."""
        self.is_offered = code != UNIMPLEMENTED
        self._end(why or "the peer ended the link")

    def _end(self, why: str) -> None:
        if self.has_ended:
            return
        self.why = why
        self.has_ended = True
        if self._stream is not None:
            self._stream.cancel()
        self._writer.close()
        self._deadlines.close()
        if not self.opened.done():
            self.opened.set_result(False)
        calls = list(self._calls.values())
        self._calls.clear()
        for call in calls:
            call.end(Unavailable("UNAVAILABLE", why))
        if self.is_usable:
            self.is_usable = False
            self._on_leave(self)

    def _expire(self, number: int) -> None:
        if (call := self._calls.get(number)) is not None:
            self.leave(call)
            call.end(DeadlineExceeded("DEADLINE_EXCEEDED", f"{call.name} did not answer within its deadline"))

    def _finish(self) -> None:
        if self._finisher is None and not self.has_ended:
            self._finisher = asyncio.create_task(self._half_close())

    async def _half_close(self) -> None:
        await asyncio.wait([self._opener])
        await self._writer.flush()
        if not self.has_ended and self._stream is not None:
            self._stream.finish()
