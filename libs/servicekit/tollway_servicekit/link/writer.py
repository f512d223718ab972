"""One end of a link as its calls send on it: what they send in one tick of the loop leaves as one gRPC message."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc

from tollway_servicekit.link.frames import PART, frame
from tollway_servicekit.link.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PART_BYTES = 32 * 1024
"""A longer message goes in parts, between which others have their turn."""
HIGH_WATER_BYTES = 128 * 1024
"""With so much waiting, senders wait in turn; what a small frame can find before it is bounded by this."""
MOST_BYTES = 8 * HIGH_WATER_BYTES
"""So much waits only where small frames, which need no room, are put for a peer that reads nothing."""

BROKEN_STREAM = (grpc.aio.AioRpcError, grpc.aio.UsageError, asyncio.InvalidStateError, grpc.aio.InternalError)
"""What gRPC raises at whoever writes to a stream that has broken."""

GATHERING_TICKS = 3
"""Turns of the loop in which a message gathers frames: next to nothing where the loop is idle, and as long as others
need it where it is busy, which is when messages should be few."""


class Writer:
    """
    Gathers frames and writes them with one task.

    Args:
        write: Sends one message; returns when there is room for the next one.
        tally: Where frames and messages are counted.
    """

    def __init__(self, write: Callable[[bytes], Awaitable[None]], tally: Tally | None = None) -> None:
        self._write = write
        self._tally = tally or Tally()
        self._frames: list[bytes] = []
        self._bytes = 0
        self._has_frames = asyncio.Event()
        self._has_room = asyncio.Event()
        self._turn = asyncio.Lock()
        self._is_closed = False
        self._task = asyncio.create_task(self._run())

    def put(self, data: bytes) -> None:
        """Send a frame now, room or not: for frames that are small, or follow `ready`."""
        if self._is_closed:
            return
        self._frames.append(data)
        self._bytes += len(data)
        if len(self._frames) == 1:
            self._has_frames.set()

    @property
    def is_ready(self) -> bool:
        """Whether a frame may be put without waiting, overtaking nobody."""
        return self._bytes < HIGH_WATER_BYTES and not self._turn.locked()

    async def ready(self) -> None:
        """Wait for room, in turn with all others that wait; who returns puts one frame before it awaits anything."""
        async with self._turn:
            while self._bytes >= HIGH_WATER_BYTES and not self._is_closed:
                self._has_room.clear()
                await self._has_room.wait()

    @property
    def is_overfull(self) -> bool:
        """Whether nothing should be read that makes frames in answer."""
        return self._bytes >= MOST_BYTES

    async def relieved(self) -> None:
        """Wait until the writer is not overfull."""
        while self._bytes >= MOST_BYTES and not self._is_closed:
            self._has_room.clear()
            await self._has_room.wait()

    async def send(self, call: int, kind: int, message: bytes) -> None:
        """Send a message, in parts where it is long."""
        if len(message) > PART_BYTES:
            start = 0
            while len(message) - start > PART_BYTES:
                await self.ready()
                self.put(frame(call, PART, message[start : start + PART_BYTES]))
                start += PART_BYTES
            message = message[start:]
        if not self.is_ready:
            await self.ready()
        self.put(frame(call, kind, message))

    async def flush(self) -> None:
        """Wait until everything that was put is written."""
        self._is_closed = True
        self._has_frames.set()
        await self._task

    def close(self) -> None:
        """Drop what waits and wake who waits."""
        self._is_closed = True
        self._frames.clear()
        self._bytes = 0
        self._has_room.set()
        self._task.cancel()

    async def _run(self) -> None:
        try:
            while not self._is_closed or self._frames:
                await self._has_frames.wait()
                for _ in range(GATHERING_TICKS):
                    await asyncio.sleep(0)  # whoever else runs meanwhile joins the message
                self._has_frames.clear()
                data = b"".join(self._frames)
                self._tally.frames += len(self._frames)
                self._tally.messages += 1
                self._frames.clear()
                self._bytes = 0
                self._has_room.set()
                if data:
                    await self._write(data)
        except BROKEN_STREAM:
            pass  # whoever reads from it learns why
        finally:
            self._is_closed = True
            self._has_room.set()
