"""What a link reads on while its caller has more to read than it may keep, and for whom it serves a call."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tollway.cache.v1 import cache_pb2
from tollway_servicekit.context import CallContext, call_metadata
from tollway_servicekit.contract import Contract
from tollway_servicekit.link.frames import CALL, END, call_frame, read_frames
from tollway_servicekit.link.served import MOST_HEAD_BYTES, MOST_OPENINGS, ServedLink
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


async def test_each_call_is_served_for_its_own_workspace_however_often_its_head_was_met() -> None:
    seen: list[tuple[str, str, bytes]] = []

    async def echo(request: Any, context: CallContext) -> Any:
        seen.append((context.workspace, context.traceparent, request.partition.encode()))
        return cache_pb2.LookupAnswerResponse()

    method = Contract.of(cache_pb2, "CacheService").methods["LookupAnswer"]
    link = ServedLink({method.path: (method, echo)}, Stream(has_room=True))
    running = asyncio.create_task(link.run())
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    asked = [("acme", ""), ("beta", ""), ("acme", ""), ("beta", trace), ("acme", trace), ("beta", "")]
    asked += [(f"workspace-{number}", "") for number in range(MOST_OPENINGS + 1)]
    asked += [("x" * MOST_HEAD_BYTES, ""), ("y" * MOST_HEAD_BYTES, ""), ("acme", "")]
    for number, (workspace, traceparent) in enumerate(asked):
        request = cache_pb2.LookupAnswerRequest(partition=workspace).SerializeToString()
        call = call_frame(number + 1, method.path, call_metadata(workspace, traceparent), None, request)
        link.took(call, 0, len(call))
    link.half_closed()
    await running
    assert seen == [(workspace, traceparent, workspace.encode()) for workspace, traceparent in asked]
    assert len(link._openings) <= MOST_OPENINGS
