"""What a link reads on, and what it does not, while its caller has more to read than it may keep."""

from __future__ import annotations

import asyncio

import pytest
from tollway_servicekit.link.frames import CALL, END, call_frame, read_frames
from tollway_servicekit.link.served import ServedLink
from tollway_servicekit.link.writer import GATHERING_TICKS, MOST_BYTES


class Stream:
    """Takes what is written, with or without room for more, and counts its holds."""

    def __init__(self, *, has_room: bool) -> None:
        self.is_held = False
        self.written = b""
        self._has_room = has_room

    def write(self, frames: list[bytes], length: int) -> bool:
        self.written += b"".join(frames)
        return self._has_room

    def hold(self) -> None:
        self.is_held = True

    def go_on(self) -> None:
        self.is_held = False

    def finish(self, code: int = 0, why: str = "") -> None:
        """Nothing follows."""

    def cancel(self) -> None:
        """Nothing follows."""


@pytest.mark.parametrize("has_room", [True, False])
async def test_a_caller_is_read_on_once_what_waits_for_it_has_left(has_room: bool) -> None:
    stream = Stream(has_room=has_room)
    link = ServedLink({}, stream)
    running = asyncio.create_task(link.run())
    await asyncio.sleep(0)
    call, times = call_frame(1, f"/nobody/{'x' * 100_000}", (), None, b""), 2 * MOST_BYTES // 100_000
    for _ in range(2):
        link.took(call * times, 0, len(call) * times)
        for _ in range(2 * GATHERING_TICKS):
            await asyncio.sleep(0)
    if not has_room:
        assert stream.is_held
        link.has_room()
    assert not stream.is_held
    assert [kind for _, kind, _ in read_frames(stream.written) if kind in (CALL, END)] == [END] * 2 * times
    link.half_closed()
    if not has_room:
        link.has_room()
    await running
