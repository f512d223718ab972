"""Thousands of calls on links at once, with callers that leave, readers that are slow, and peers that die."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit import channel as channel_module
from tollway_servicekit.context import call_metadata
from tollway_servicekit.errors import DeadlineExceeded, Unavailable
from tollway_servicekit.link.peers import open_links
from tollway_servicekit.serve import serving
from tollway_servicekit.stubs import link_stub, responses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_servicekit.contract import Contract

PEER = Path(__file__).parent / "link_peer.py"
Record = "Callable[[str, object], None]"


def told(**what: object) -> Any:
    return call_metadata("&".join(f"{name}={value}" for name, value in what.items()))


def tell(record_property: Any, title: str, **row: object) -> None:
    record_property("table", {"title": f"links: {title}", "row": row})


@asynccontextmanager
async def peer_process(port: int = 0) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, PEER, str(port), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(30):
            yield process, int(await process.stdout.readline())  # type: ignore[union-attr]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Caller:
    """Makes calls of every sort and checks what comes back; `outcomes` counts how they ended."""

    def __init__(self, stub: Any, seed: int) -> None:
        self._stub = stub
        self._random = random.Random(seed)
        self.outcomes: Counter[str] = Counter()

    async def one(self, number: int) -> None:
        sort = self._random.choice(["unary"] * 6 + ["cancelled", "expired", "stream", "slow reader", "left", "large"])
        try:
            await getattr(self, "_" + sort.replace(" ", "_"))(number)
        except Unavailable:
            sort += " unavailable"
        self.outcomes[sort] += 1

    async def _unary(self, number: int, **what: object) -> None:
        delay, size = self._random.random() / 50, self._random.randrange(3000)
        metadata = told(**{"delay": delay, "size": size} | what)
        answer = await self._stub.ResolvePrompt(self._request(number), timeout=60, metadata=metadata)
        assert (answer.name, len(answer.text)) == (str(number), what.get("size", size))

    async def _large(self, number: int) -> None:
        await self._unary(number, size=self._random.randrange(300_000))

    async def _cancelled(self, number: int) -> None:
        call = asyncio.ensure_future(self._unary(number))
        await asyncio.sleep(self._random.random() / 50)
        call.cancel()
        await asyncio.wait([call])
        if not call.cancelled():
            call.result()

    async def _expired(self, number: int) -> None:
        with pytest.raises(DeadlineExceeded):
            await self._stub.ResolvePrompt(self._request(number), timeout=0.02, metadata=told(delay=60))

    async def _stream(self, number: int, slow: float = 0.0, leave_after: int | None = None) -> None:
        count, size = self._random.randrange(1, 60), self._random.choice([0, 100, 5000, 50_000])
        metadata = told(id=number, count=count, size=size, delay=self._random.choice([0, 0.001]))
        names = []
        async with responses(self._stub.WatchPrompts(pb.WatchPromptsRequest(), timeout=60, metadata=metadata)) as items:
            async for item in items:
                names.append(item.versions[0].name)
                if slow:
                    await asyncio.sleep(slow)
                if len(names) == leave_after:
                    break
        assert names == [f"{number}-{index}" for index in range(min(count, leave_after or count))]

    async def _slow_reader(self, number: int) -> None:
        await self._stream(number, slow=0.005)

    async def _left(self, number: int) -> None:
        await self._stream(number, leave_after=self._random.randrange(1, 10))

    def _request(self, number: int) -> pb.ResolvePromptRequest:
        return pb.ResolvePromptRequest(name=str(number))


async def in_turns(caller: Caller, calls: int, at_once: int) -> None:
    numbers = iter(range(calls))

    async def work() -> None:
        for number in numbers:
            await caller.one(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_nothing_is_lost_doubled_or_crossed(
    contract: Contract, obedient: Any, seed: int, record_property: Any
) -> None:
    started = time.perf_counter()
    async with serving([(contract, obedient)], "127.0.0.1:0", grace=0, link_age=0.5) as port:
        async with open_links(f"127.0.0.1:{port}") as links:
            caller = Caller(link_stub(contract, links), seed)
            async with asyncio.timeout(120):
                await in_turns(caller, 3000, 200)
                assert sum(caller.outcomes.values()) == 3000
                assert not [outcome for outcome in caller.outcomes if "unavailable" in outcome]
                while obedient.in_flight:  # noqa: ASYNC110  the last cancels are under way
                    await asyncio.sleep(0.01)
            (peer,) = links._peers
            assert [link._calls for link in (peer.link, *peer._draining) if link and link._calls] == []
    tell(record_property, "calls of every sort", seed=seed, **caller.outcomes, ms=ms(started))


async def test_a_peer_that_is_killed_again_and_again_loses_only_what_was_in_flight(
    contract: Contract, record_property: Any
) -> None:
    port = 0
    async with asyncio.timeout(100):
        async with peer_process() as (_, port):
            pass
        async with open_links(f"127.0.0.1:{port}") as links:
            stub = link_stub(contract, links)
            for number in range(3):
                async with peer_process(port) as (process, _):
                    found = time.perf_counter()
                    await _answered(stub)
                    found_ms = ms(found)
                    calls = [
                        asyncio.ensure_future(
                            stub.ResolvePrompt(pb.ResolvePromptRequest(name="x"), timeout=90, metadata=told(delay=60))
                        )
                        for _ in range(500)
                    ]
                    await stub.ResolvePrompt(pb.ResolvePromptRequest(name="last"), timeout=90)
                    killed = time.perf_counter()
                    process.kill()
                    ends = await asyncio.gather(*calls, return_exceptions=True)
                    assert {type(end) for end in ends} == {Unavailable}
                    assert ms(killed) < 5000
                    tell(record_property, "killed peer", kill=number, all_ended_ms=ms(killed), found_again_ms=found_ms)


async def test_calls_go_on_beside_a_peer_that_dies(contract: Contract, record_property: Any, monkeypatch: Any) -> None:
    async with asyncio.timeout(100), peer_process() as (first, one), peer_process() as (_, two):

        async def resolve(address: str) -> list[str]:
            return [f"127.0.0.1:{one}", f"127.0.0.1:{two}"]

        monkeypatch.setattr("tollway_servicekit.link.peers.resolve", resolve)
        async with open_links("cache.tollway:50051") as links:
            caller = Caller(link_stub(contract, links), 4)
            await in_turns(caller, 500, 50)
            killing = asyncio.create_task(_kill_later(first, 0.2))
            await in_turns(caller, 3000, 50)
            await killing
            lost = sum(count for outcome, count in caller.outcomes.items() if "unavailable" in outcome)
            assert 0 < lost <= 60, "only calls that were in flight there may be lost"
            tell(record_property, "one of two peers killed", calls=3500, lost=lost)


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
        await in_turns(Caller(stub, 5), 1000, 100)
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


class Wire:
    """A TCP relay that can freeze, as a peer does that vanishes without a word."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    def freeze(self) -> None:
        self._open.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", self._target)
        for source, sink in ((reader, there[1]), (there[0], writer)):
            self._tasks.add(asyncio.create_task(self._pump(source, sink)))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                await self._open.wait()
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()


async def test_a_peer_that_vanishes_without_a_word_is_noticed(
    contract: Contract, obedient: Any, record_property: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = {"grpc.keepalive_time_ms": 300, "grpc.keepalive_timeout_ms": 300}
    options = [(name, quick.get(name, value)) for name, value in channel_module.CHANNEL_OPTIONS]
    async with serving([(contract, obedient)], "127.0.0.1:0", grace=0) as port, asyncio.timeout(30):
        wire = Wire(port)
        async with wire as relayed:
            with monkeypatch.context() as patch:
                patch.setattr(channel_module, "CHANNEL_OPTIONS", options)
                async with open_links(f"127.0.0.1:{relayed}") as links:
                    stub = link_stub(contract, links)
                    await _answered(stub)
                    wire.freeze()
                    started = time.perf_counter()
                    with pytest.raises(Unavailable):
                        await stub.ResolvePrompt(pb.ResolvePromptRequest(name="x"), timeout=25, metadata=told(delay=60))
    tell(record_property, "vanished peer, keepalive of 300 + 300 ms", noticed_after_ms=ms(started))


async def _answered(stub: Any) -> None:
    while True:
        try:
            await stub.ResolvePrompt(pb.ResolvePromptRequest(name="x"), timeout=5)
        except Unavailable:
            await asyncio.sleep(0.01)
        else:
            return


async def _kill_later(process: asyncio.subprocess.Process, seconds: float) -> None:
    await asyncio.sleep(seconds)
    process.kill()


def ms(since: float) -> int:
    return round((time.perf_counter() - since) * 1000)
