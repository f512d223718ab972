"""Who waits for whom on a link: slow readers, large messages, and everybody else."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.channel import MAX_MESSAGE_BYTES
from tollway_servicekit.errors import Exhausted
from tollway_servicekit.link.flow import ITEM_COST, WINDOW_BYTES
from tollway_servicekit.link.frames import LONG_BYTES
from tollway_servicekit.link.peers import open_links
from tollway_servicekit.link.served import ServedLink
from tollway_servicekit.link.writer import PART_BYTES
from tollway_servicekit.serve import serving
from tollway_servicekit.stubs import LongRequest, link_stub, responses
from tollway_servicekit.testing import slow_path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_servicekit.contract import Contract

SMALL = pb.ResolvePromptRequest(name="small")


class Source:
    """Yields items of one size, without end, and counts them."""

    def __init__(self, size: int) -> None:
        self.count = 0
        self._template = "x" * size

    async def __call__(self, request: Any, context: Any) -> AsyncIterator[pb.WatchPromptsResponse]:
        while True:
            version = pb.PromptVersion(version=self.count, template=self._template)
            self.count += 1
            yield pb.WatchPromptsResponse(versions=[version])

    async def stopped(self) -> int:
        """Return how many were made, once no more are."""
        before, calm = -1, 0
        while calm < 20:
            calm = calm + 1 if self.count == before else 0
            before = self.count
            await asyncio.sleep(0.01)
        return self.count


async def answer(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
    size = int(request.name) if request.name.isdigit() else len(request.name)
    return pb.ResolvePromptResponse(text="x" * size)


@asynccontextmanager
async def linked(contract: Contract, servicer: object) -> AsyncIterator[tuple[Any, Any]]:
    async with (
        serving([(contract, servicer)], "127.0.0.1:0", grace=0) as port,
        open_links(f"127.0.0.1:{port}") as links,
    ):
        yield link_stub(contract, links), links


@pytest.mark.parametrize("size", [0, 1000, 30_000, 1_000_000])
async def test_a_reader_that_stops_holds_up_its_producer_and_nobody_else(
    contract: Contract, serve_with: Any, size: int
) -> None:
    source = Source(size)
    async with linked(contract, serve_with(resolve=answer, watch=source)) as (stub, _):
        async with responses(stub.WatchPrompts(pb.WatchPromptsRequest(), timeout=60)) as items:
            await anext(items)
            async with asyncio.timeout(20):
                made = await source.stopped()
                # the window, half a window that was read and not yet told, and the items at its edge
                assert made <= 1.5 * WINDOW_BYTES / (size + ITEM_COST) + 3
                for _ in range(100):
                    await stub.ResolvePrompt(SMALL, timeout=5)
            assert source.count == made


async def test_a_reader_that_goes_on_gets_every_item_in_order(contract: Contract, serve_with: Any) -> None:
    source = Source(1000)
    async with linked(contract, serve_with(watch=source)) as (stub, _):
        async with responses(stub.WatchPrompts(pb.WatchPromptsRequest(), timeout=60)) as items:
            for number in range(2000):
                item = await anext(items)
                assert item.versions[0].version == number
                if number % 500 == 0:
                    await source.stopped()


async def test_readers_that_never_read_cost_no_more_than_their_windows(contract: Contract, serve_with: Any) -> None:
    source = Source(4000)
    async with linked(contract, serve_with(resolve=answer, watch=source)) as (stub, links):
        calls = [stub.WatchPrompts(pb.WatchPromptsRequest(), timeout=60) for _ in range(100)]
        for call in calls:
            await anext(call)
        async with asyncio.timeout(20):
            await source.stopped()
            await stub.ResolvePrompt(SMALL, timeout=5)
        (peer,) = links._peers
        kept = sum(len(item) for call in peer.link._calls.values() for item in call._items)
        assert kept <= 100 * (WINDOW_BYTES + 5000)
        for call in calls:
            await call.aclose()
        assert peer.link._calls == {}


async def test_a_large_answer_lets_small_ones_pass(contract: Contract, serve_with: Any) -> None:
    async with linked(contract, serve_with(resolve=answer)) as (stub, _):
        await stub.ResolvePrompt(SMALL, timeout=5)
        large = asyncio.ensure_future(stub.ResolvePrompt(pb.ResolvePromptRequest(name="30000000"), timeout=30))
        for _ in range(5):
            await stub.ResolvePrompt(SMALL, timeout=5)
        assert not large.done()
        assert len((await large).text) == 30_000_000


@pytest.mark.parametrize("length", [LONG_BYTES - 100, LONG_BYTES + 1, 3 * PART_BYTES - 4, 3 * PART_BYTES, 30_000_000])
async def test_a_large_request_goes_over_the_link_whole(contract: Contract, serve_with: Any, length: int) -> None:
    text = "".join(chr(97 + number * number % 26) for number in range(1000)) * (length // 1000 + 1)

    async def same(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
        return pb.ResolvePromptResponse(text=str(request.name == text[:length]))

    async with linked(contract, serve_with(resolve=same)) as (stub, links):
        got = await stub.ResolvePrompt(pb.ResolvePromptRequest(name=text[:length]), timeout=30)
        assert got.text == "True"
        (peer,) = links._peers
        assert not peer._plain


async def test_large_requests_let_small_ones_pass(contract: Contract, serve_with: Any) -> None:
    async with linked(contract, serve_with(resolve=answer)) as (stub, _):
        await stub.ResolvePrompt(SMALL, timeout=5)
        bulky = pb.ResolvePromptRequest(name="x" * 30_000_000)
        large = [asyncio.ensure_future(stub.ResolvePrompt(bulky, timeout=30)) for _ in range(2)]
        for _ in range(5):
            await stub.ResolvePrompt(SMALL, timeout=5)
        assert not any(call.done() for call in large)
        assert [len((await call).text) for call in large] == [30_000_000] * 2


async def test_a_caller_that_leaves_while_its_request_is_sent_leaves_nothing_behind(
    contract: Contract, serve_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[ServedLink] = []

    class Kept(ServedLink):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            served.append(self)

    monkeypatch.setattr("tollway_servicekit.link.server.ServedLink", Kept)
    async with linked(contract, serve_with(resolve=answer)) as (stub, _):
        await stub.ResolvePrompt(SMALL, timeout=5)
        bulky = pb.ResolvePromptRequest(name="x" * 30_000_000)
        call = asyncio.ensure_future(stub.ResolvePrompt(bulky, timeout=30))
        async with asyncio.timeout(5):
            while not served[0]._parts:  # noqa: ASYNC110  nothing tells
                await asyncio.sleep(0)
            call.cancel()
            await stub.ResolvePrompt(SMALL, timeout=5)
        assert served[0]._parts == {}


async def test_a_request_above_the_limit_fails_and_the_link_lives(contract: Contract, serve_with: Any) -> None:
    async with linked(contract, serve_with(resolve=answer)) as (stub, links):
        name = "x" * (MAX_MESSAGE_BYTES + 1)
        for request in (
            pb.ResolvePromptRequest(name=name),
            LongRequest(pb.ResolvePromptRequest(), (1,), name.encode()),
        ):
            with pytest.raises(Exhausted, match=f"{MAX_MESSAGE_BYTES} are the most"):
                await stub.ResolvePrompt(request, timeout=30)
        await stub.ResolvePrompt(SMALL, timeout=5)
        assert links.tally.breaks == 0


async def test_on_a_path_with_latency_a_link_carries_many_kilobytes_a_round_trip(
    contract: Contract, serve_with: Any
) -> None:
    one_way, size = 0.05, 2_000_000
    async with (
        serving([(contract, serve_with(resolve=answer))], "127.0.0.1:0", grace=0) as server,
        slow_path(server, one_way) as port,
        open_links(f"127.0.0.1:{port}") as links,
        asyncio.timeout(30),
    ):
        stub = link_stub(contract, links)
        await stub.ResolvePrompt(SMALL, timeout=10)
        started = time.perf_counter()
        await stub.ResolvePrompt(pb.ResolvePromptRequest(name=str(size)), timeout=20)
        round_trips = (time.perf_counter() - started) / (2 * one_way)
        assert size / round_trips > 3 * 64 * 1024


async def test_an_answer_above_the_limit_fails_and_says_why(contract: Contract, serve_with: Any) -> None:
    async with linked(contract, serve_with(resolve=answer)) as (stub, _):
        request = pb.ResolvePromptRequest(name=str(MAX_MESSAGE_BYTES + 1))
        with pytest.raises(Exhausted, match=f"{MAX_MESSAGE_BYTES} are the most"):
            await stub.ResolvePrompt(request, timeout=30)
        await stub.ResolvePrompt(SMALL, timeout=5)
