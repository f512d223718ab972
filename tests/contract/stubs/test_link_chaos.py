"""Thousands of calls on links at once, with callers that leave and readers that are slow."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from contract.stubs.chaos_calls import ChaosCalls, in_turns, ms, tell, told
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.link.peers import open_links
from tollway_servicekit.serve import serving
from tollway_servicekit.stubs import link_stub, responses

if TYPE_CHECKING:
    from tollway_servicekit.contract import Contract


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_nothing_is_lost_doubled_or_crossed(
    contract: Contract, obedient: Any, seed: int, record_property: Any
) -> None:
    started = time.perf_counter()
    async with serving([(contract, obedient)], "127.0.0.1:0", grace=0, link_age=0.5) as port:
        async with open_links(f"127.0.0.1:{port}") as links:
            caller = ChaosCalls(link_stub(contract, links), seed)
            async with asyncio.timeout(120):
                await in_turns(caller, 3000, 200)
                assert sum(caller.outcomes.values()) == 3000
                assert not [outcome for outcome in caller.outcomes if "unavailable" in outcome]
                while obedient.in_flight:  # noqa: ASYNC110  the last cancels are under way
                    await asyncio.sleep(0.01)
            (peer,) = links._peers
            assert [link._calls for link in (peer.link, *peer._draining) if link and link._calls] == []
    tell(record_property, "calls of every sort", seed=seed, **caller.outcomes, ms=ms(started))


async def test_ten_thousand_calls_in_flight(contract: Contract, serve_with: Any, record_property: Any) -> None:
    entered, release = 0, asyncio.Event()

    async def resolve(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
        nonlocal entered
        entered += 1
        if entered == 10_000:
            release.set()
        await release.wait()
        return pb.ResolvePromptResponse(name=request.name)

    before, started = psutil.Process().memory_info().rss, time.perf_counter()
    async with (
        serving([(contract, serve_with(resolve=resolve))], "127.0.0.1:0", grace=0) as port,
        open_links(f"127.0.0.1:{port}") as links,
        asyncio.timeout(60),
    ):
        stub = link_stub(contract, links)
        requests = [pb.ResolvePromptRequest(name=f"{number:<1024}") for number in range(10_000)]
        answers = await asyncio.gather(*(stub.ResolvePrompt(request, timeout=60) for request in requests))
        assert [answer.name for answer in answers] == [request.name for request in requests]
    grown = (psutil.Process().memory_info().rss - before) // 2**20
    tell(record_property, "10,000 calls in flight", ms=ms(started), grown_mib=grown)


async def test_a_reader_that_never_reads_and_the_others(
    contract: Contract, obedient: Any, record_property: Any
) -> None:
    async with (
        serving([(contract, obedient)], "127.0.0.1:0", grace=0) as port,
        open_links(f"127.0.0.1:{port}") as links,
        asyncio.timeout(60),
    ):
        stub = link_stub(contract, links)
        stuck = stub.WatchPrompts(pb.WatchPromptsRequest(), timeout=60, metadata=told(id=0, count=100_000, size=10_000))
        await anext(stuck)
        await in_turns(ChaosCalls(stub, 5), 1000, 100)
        alone = obedient.sent
        times = []
        for _ in range(200):
            started = time.perf_counter()
            await stub.ResolvePrompt(pb.ResolvePromptRequest(name="x"), timeout=5)
            times.append(time.perf_counter() - started)
        assert obedient.sent == alone, "the stuck stream goes on"
        await stuck.aclose()
    p99 = round(sorted(times)[197] * 1e6)
    tell(record_property, "calls beside a reader that never reads", p50_us=round(sorted(times)[100] * 1e6), p99_us=p99)


async def test_calls_beside_streams_of_large_items(contract: Contract, obedient: Any, record_property: Any) -> None:
    async with (
        serving([(contract, obedient)], "127.0.0.1:0", grace=0) as port,
        open_links(f"127.0.0.1:{port}") as links,
        asyncio.timeout(60),
    ):
        stub = link_stub(contract, links)

        async def read(number: int) -> None:
            metadata = told(id=number, count=10_000, size=1_000_000)
            async with responses(stub.WatchPrompts(pb.WatchPromptsRequest(), timeout=60, metadata=metadata)) as items:
                async for _ in items:
                    pass

        readers = [asyncio.create_task(read(number)) for number in range(4)]
        times = []
        for _ in range(200):
            started = time.perf_counter()
            await stub.ResolvePrompt(pb.ResolvePromptRequest(name="x"), timeout=5)
            times.append(time.perf_counter() - started)
        sent = obedient.sent
        for reader in readers:
            reader.cancel()
        await asyncio.wait(readers)
        assert sent > 20, "the streams stood still"
    row = {"p50_us": round(sorted(times)[100] * 1e6), "p99_us": round(sorted(times)[197] * 1e6), "mb_sent": sent}
    tell(record_property, "calls beside four streams of 1 MB items", **row)
