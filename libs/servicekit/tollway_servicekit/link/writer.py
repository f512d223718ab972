"""One end of a link as its calls send on it: what they send in a few turns of the loop leaves as one message."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tollway_servicekit.link.carry import Piece
from tollway_servicekit.link.frames import LONG_BYTES, PART, frame, header
from tollway_servicekit.link.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

PART_BYTES = 512 * 1024
"""A longer message goes in parts, between which others have their turn; each is a write, and a wake-up at both ends."""
HIGH_WATER_BYTES = 2 * LONG_BYTES
"""With so much waiting, senders wait in turn; what a small frame can find before it is bounded by this."""
MOST_BYTES = 1024 * 1024
"""So much waits only where small frames, which need no room, are put for a peer that reads nothing."""

GATHERING_TICKS = 2
"""Turns of the loop in which a message gathers frames: next to nothing where the loop is idle, and as long as others
need it where it is busy, which is when messages should be few."""


class Writer:
    """
    Gathers frames and writes them when their time has come.

    Args:
        write: Sends frames of so many bytes as one message; where it returns False, the next one waits for `go_on`.
        tally: Where frames and messages are counted.
    """

    def __init__(self, write: Callable[[list[Piece], int], bool], tally: Tally | None = None) -> None:
        self._write = write
        self._tally = tally or Tally()
        self._loop = asyncio.get_running_loop()
        self._frames: list[Piece] = []
        self._bytes = 0
        self._ticks = 0
        self._is_free = True
        self._has_room = asyncio.Event()
        self._has_written = asyncio.Event()
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._turn_of_parts = asyncio.Lock()
        self._freed: asyncio.Future[None] | None = None
        """Set where a part waits for the end of the write under way."""
        self._is_closed = False

    def put(self, data: bytes) -> None:
        """Send a frame now, room or not: for frames that are small, or follow `ready`."""
        if self._is_closed:
            return
        self._frames.append(data)
        self._bytes += len(data)
        if len(self._frames) == 1 and self._is_free:
            self._gather()

    def put_part(self, head: bytes, piece: memoryview) -> None:
        """Write a long frame, without copying it, behind what was gathered; follows `ready_for_part`."""
        if not self._is_closed:
            self._frames += (head, piece)
            self._bytes += len(head) + len(piece)
            self._tally.frames -= 1  # two pieces, one frame
            self._send()

    def go_on(self) -> None:
        """Write what was gathered while there was no room, with a part if one waits."""
        self._is_free = True
        if self._freed is None:
            self._send()
        else:
            self._wake_part()
            self._gather()

    def is_ready(self) -> bool:
        """Say whether a frame may be put without waiting, overtaking nobody."""
        return self._bytes < HIGH_WATER_BYTES and not self._waiting

    async def ready(self) -> None:
        """Wait for room, in turn with all others that wait; who returns puts one frame before it awaits anything."""
        self._waiting += 1
        try:
            async with self._turn:
                while self._bytes >= HIGH_WATER_BYTES and not self._is_closed:
                    self._has_room.clear()
                    await self._has_room.wait()
        finally:
            self._waiting -= 1

    def is_ready_for_part(self) -> bool:
        """Say whether a part may be put without waiting, and as a rule overtaking none."""
        return self._is_free and not self._turn_of_parts.locked()

    async def ready_for_part(self) -> None:
        """Wait until a part leaves at once, in turn with all others: so parts take no room, and one write has one."""
        async with self._turn_of_parts:
            while not self._is_free and not self._is_closed:
                self._freed = self._loop.create_future()
                await self._freed

    @property
    def is_overfull(self) -> bool:
        """Whether nothing should be read that makes frames in answer until there is room; else it leaves at once."""
        return self._bytes >= MOST_BYTES and not self._is_free

    async def send(self, call: int, kind: int, message: bytes) -> None:
        """Send a message, in parts where it is very long."""
        if len(message) > LONG_BYTES:
            await self.send_long(message, lambda length, is_last: header(call, kind if is_last else PART, length))
            return
        if not self.is_ready():
            await self.ready()
        self.put(frame(call, kind, message))

    async def send_long(self, message: bytes, head: Callable[[int, bool], bytes]) -> None:
        """
        Send a message in parts.

        Args:
            message: All of it.
            head: Told the length of a part, and whether it is the last; returns what goes before it, or nothing to end.
        """
        view, end = memoryview(message), len(message)
        for start in range(0, end, PART_BYTES):
            if start:
                await asyncio.sleep(0)  # others have their turn
            if not self.is_ready_for_part():
                await self.ready_for_part()
            piece = view[start : start + PART_BYTES]
            if not (before := head(len(piece), start + PART_BYTES >= end)):
                return
            self.put_part(before, piece)

    def has_sent(self, call: int, kind: int, message: bytes) -> bool:
        """Send a message if that takes no waiting; say whether it did."""
        if len(message) > LONG_BYTES or self._bytes >= HIGH_WATER_BYTES or self._waiting:  # as `is_ready`, in place
            return False
        self.put(frame(call, kind, message))
        return True

    async def flush(self) -> None:
        """Take no more, and wait until everything that was put is written."""
        self._is_closed = True
        while self._frames or not self._is_free:
            self._has_written.clear()
            await self._has_written.wait()

    def close(self) -> None:
        """Drop what waits and wake who waits."""
        self._is_closed = self._is_free = True
        self._frames.clear()
        self._bytes = 0
        self._wake_part()
        self._has_room.set()
        self._has_written.set()

    def _wake_part(self) -> None:
        if self._freed is not None and not self._freed.done():
            self._freed.set_result(None)
        self._freed = None

    def _gather(self) -> None:
        self._ticks = GATHERING_TICKS
        self._loop.call_soon(self._tick)

    def _tick(self) -> None:
        if (ticks := self._ticks - 1) > 0:  # whoever else runs meanwhile joins the message
            self._ticks = ticks
            self._loop.call_soon(self._tick)
        elif self._is_free:  # a part may have left meanwhile: the next message waits for `go_on`
            self._send()

    def _send(self) -> None:
        if self._frames:
            frames, size = self._frames, self._bytes
            self._frames, self._bytes = [], 0
            self._tally.frames += len(frames)
            self._tally.messages += 1
            self._is_free = self._write(frames, size)
            self._has_room.set()
        self._has_written.set()
