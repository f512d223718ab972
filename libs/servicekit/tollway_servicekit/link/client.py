"""One link as its caller sees it: a `Carry` stream, the calls in flight on it, and how it ends. Made by `peers`."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
from tollway.link.v1 import link_pb2

from tollway_servicekit.errors import DeadlineExceeded, Unavailable
from tollway_servicekit.link.deadlines import Deadlines
from tollway_servicekit.link.frames import (
    CANCEL,
    DRAIN,
    MAX_CALL_NUMBER,
    BrokenFrames,
    call_frame,
    credit_frame,
    frame,
    read_frames,
)
from tollway_servicekit.link.writer import BROKEN_STREAM, Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_servicekit.context import Metadata
    from tollway_servicekit.link.pending import Pending, PendingItems
    from tollway_servicekit.link.tally import Tally

log = logging.getLogger(__name__)

CARRY = f"/{link_pb2.DESCRIPTOR.services_by_name['LinkService'].full_name}/Carry"


class Link:
    """
    Opened when it is made; ends once and is then replaced by another.

    Args:
        channel: A channel to one peer.
        on_leave: Called once when no more calls may be started on this link: it drains or has ended.
        tally: Where what it does is counted.
    """

    def __init__(self, channel: grpc.aio.Channel, on_leave: Callable[[Link], None], tally: Tally) -> None:
        carry: Any = channel.stream_stream(
            CARRY,
            request_serializer=link_pb2.CarryRequest.SerializeToString,
            response_deserializer=link_pb2.CarryResponse.FromString,
        )
        self.is_usable = True
        self.is_offered = True
        """False once the peer has said that it has no links."""
        self.has_ended = False
        self.why = ""
        self.opened = asyncio.get_running_loop().create_future()
        """Whether the peer has answered; done at the latest when the link ends."""
        self._on_leave = on_leave
        self._stream = carry()
        self._calls: dict[int, Pending] = {}
        self._number = 0
        self._tally = tally
        self._deadlines = Deadlines(self._expire)
        self._writer = Writer(self._write, tally)
        self._reader = asyncio.create_task(self._read())
        self._finisher: asyncio.Task[None] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a call may be started without waiting."""
        return self.is_usable and self._writer.is_ready

    @property
    def in_flight(self) -> int:
        """Calls that have not ended."""
        return len(self._calls)

    async def ready(self) -> None:
        """Wait for room; the link may have become unusable meanwhile."""
        await self._writer.ready()

    def start(self, call: Pending, path: str, metadata: Metadata, timeout: float | None, request: bytes) -> None:
        """
        Send a call; there must be room.

        Raises:
            ValueError: Metadata that cannot be sent; the call has not begun then.
        """
        number = self._number + 1
        data = call_frame(number, path, metadata, timeout, request)
        self._number = call.number = number
        self._calls[number] = call
        self._writer.put(data)
        self._tally.calls += 1
        if timeout is not None:
            call.tick = self._deadlines.set(number, timeout)
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
        if call.tick:
            self._deadlines.clear(call.number, call.tick)
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
        self._stream.cancel()
        self._reader.cancel()
        await asyncio.wait([self._reader])
        self._end("the link was closed")  # a reader that was cancelled before its first step did not
        if self._finisher is not None:
            await asyncio.wait([self._finisher])

    async def _write(self, frames: bytes) -> None:
        try:
            await self._stream.write(link_pb2.CarryRequest(frames=frames))
        except BaseException:
            self._stream.cancel()  # ends the reader too, and with it the link
            raise

    async def _read(self) -> None:
        why = "the peer ended the link"
        try:
            while (message := await self._stream.read()) is not grpc.aio.EOF:
                if not self.opened.done():
                    self.opened.set_result(True)
                for number, kind, body in read_frames(message.frames):
                    if kind == DRAIN:
                        self.drain()
                    elif (call := self._calls.get(number)) is not None:
                        call.take(kind, body)
        except grpc.aio.AioRpcError as error:
            self.is_offered = error.code() is not grpc.StatusCode.UNIMPLEMENTED
            why = error.details() or error.code().name
        except BrokenFrames as error:
            why = f"the peer sent what is no frame: {error}"
        except asyncio.CancelledError:
            why = "the link was closed"
        except Exception:
            why = "the peer's answer could not be read"
            log.exception("a link ended unexpectedly")
        finally:
            self._end(why)

    def _end(self, why: str) -> None:
        if self.has_ended:
            return
        self.why = why
        self.has_ended = True
        self._stream.cancel()
        self._writer.close()
        self._deadlines.close()
        if not self.opened.done():
            self.opened.set_result(False)
        calls, self._calls = self._calls, {}
        for call in calls.values():
            call.end(Unavailable("UNAVAILABLE", why))
        if self.is_usable:
            self.is_usable = False
            self._on_leave(self)

    def _expire(self, number: int) -> None:
        call = self._calls.get(number)
        if call is not None:
            call.tick = 0
            self.leave(call)
            call.end(DeadlineExceeded("DEADLINE_EXCEEDED", f"{call.name} did not answer within its deadline"))

    def _finish(self) -> None:
        if self._finisher is None and not self.has_ended:
            self._finisher = asyncio.create_task(self._half_close())

    async def _half_close(self) -> None:
        await self._writer.flush()
        if not self.has_ended:
            with suppress(*BROKEN_STREAM):  # the reader learns why
                await self._stream.done_writing()
