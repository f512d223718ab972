"""What a servicer hands on while its next item is awaited: in order with what it yields, and not beyond its reader."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.errors import DeadlineExceeded
from tollway_servicekit.link.flow import ITEM_COST, WINDOW_BYTES
from tollway_servicekit.link.peers import open_links
from tollway_servicekit.serve import serving
from tollway_servicekit.stubs import link_stub, responses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_servicekit.contract import Contract

ASKED = pb.WatchPromptsRequest()


class Source:
    """Hands items on where that can be done, until it is told to wait; then it yields one."""

    def __init__(self, count: int, size: int = 0) -> None:
        self.count, self.size = count, size
        self.made = self.handed_on = 0
        self.hand_on: Any = None
        self.waits = asyncio.Event()
        """Set while the producer waits for its reader."""
        self.has_ended = asyncio.Event()

    async def __call__(self, request: Any, context: Any) -> AsyncIterator[pb.WatchPromptsResponse]:
        self.hand_on = context.hand_on
        try:
            while self.made < self.count:
                goes_on = self.hand_on is not None
                while goes_on and self.made < self.count:
                    goes_on = self.hand_on(self._next())
                    self.handed_on += 1
                if self.made < self.count:
                    self.waits.set()
                    yield self._next()
                    self.waits.clear()
                await asyncio.sleep(0)
        finally:
            self.has_ended.set()

    def _next(self) -> pb.WatchPromptsResponse:
        self.made += 1
        return pb.WatchPromptsResponse(versions=[pb.PromptVersion(version=self.made, template="x" * self.size)])


@pytest.mark.parametrize("size", [0, 100, 40_000])
async def test_items_come_once_and_in_order_whichever_way_they_went(connect: Any, size: int) -> None:
    source = Source(500, size)
    stub = await connect(watch=source)
    async with responses(stub.WatchPrompts(ASKED, timeout=20)) as items:
        assert [item.versions[0].version async for item in items] == list(range(1, 501))
    assert (source.handed_on > 0) is (source.hand_on is not None)


async def answer(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
    return pb.ResolvePromptResponse(text=request.name)


async def _read_on(items: Any) -> None:
    async for _ in items:
        pass


async def _assert_answers(stub: Any) -> None:
    assert (await stub.ResolvePrompt(pb.ResolvePromptRequest(name="a"), timeout=5)).text == "a"


@pytest.mark.parametrize("size", [0, 1000, 30_000])
async def test_a_reader_that_stops_is_handed_no_more_than_it_has_room_for(
    contract: Contract, serve_with: Any, size: int
) -> None:
    source = Source(10**9, size)
    async with (
        serving([(contract, serve_with(answer, source))], "127.0.0.1:0", grace=0) as port,
        open_links(f"127.0.0.1:{port}") as links,
    ):
        stub = link_stub(contract, links)
        async with responses(stub.WatchPrompts(ASKED, timeout=60)) as items:
            await anext(items)
            await asyncio.wait_for(source.waits.wait(), 5)
            for _ in range(100):
                await _assert_answers(stub)
            # the window, half a window that was read and not yet told, and the items at its edge
            assert source.made <= 1.5 * WINDOW_BYTES / (size + ITEM_COST) + 3
            assert source.handed_on > 0
            made = source.made
            for _ in range(made + 50):
                await asyncio.wait_for(anext(items), 5)
            assert source.made > made


@pytest.mark.parametrize("is_late", [False, True])
async def test_what_is_handed_on_after_the_end_goes_nowhere(contract: Contract, serve_with: Any, is_late: bool) -> None:
    source = Source(10**9)
    async with (
        serving([(contract, serve_with(answer, source))], "127.0.0.1:0", grace=0) as port,
        open_links(f"127.0.0.1:{port}") as links,
    ):
        stub = link_stub(contract, links)
        call = stub.WatchPrompts(ASKED, timeout=0.3 if is_late else 60)
        await anext(call)
        if is_late:
            with pytest.raises(DeadlineExceeded):
                await _read_on(call)
        else:
            await call.aclose()
        await asyncio.wait_for(source.has_ended.wait(), 5)
        for _ in range(1000):
            assert source.hand_on(pb.WatchPromptsResponse()) is False
        await _assert_answers(stub)
