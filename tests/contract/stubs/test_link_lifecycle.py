"""How links are opened, drained, broken and opened again, and what the calls on them see of it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.errors import Unavailable
from tollway_servicekit.link import peers as peers_module
from tollway_servicekit.link.peers import open_links
from tollway_servicekit.serve import serving
from tollway_servicekit.stubs import link_stub, responses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_servicekit.contract import Contract

REQUEST = pb.ResolvePromptRequest(name="greeting")
CARRY = "/tollway.link.v1.LinkService/Carry"


async def echo(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
    return pb.ResolvePromptResponse(name=request.name)


class Held:
    """Answers each call once it is released."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.released = asyncio.Event()
        self.left = asyncio.Event()

    async def __call__(self, request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
        self.entered.set()
        try:
            await self.released.wait()
        finally:
            self.left.set()
        return pb.ResolvePromptResponse(name=request.name)


class Server:
    """Serves until it is told to stop, on a port that a later one can take again."""

    def __init__(self, contract: Contract, servicer: object, port: int = 0, **options: Any) -> None:
        self._stop = asyncio.Event()
        self._started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._serve(contract, servicer, f"127.0.0.1:{port}", options))

    async def port(self) -> int:
        return await self._started

    async def stop(self) -> None:
        self._stop.set()
        await self._task

    async def _serve(self, contract: Contract, servicer: object, address: str, options: dict[str, Any]) -> None:
        async with serving([(contract, servicer)], address, **options) as port:
            self._started.set_result(port)
            await self._stop.wait()


async def answered(stub: Any) -> None:
    """Call until a call is answered; Unavailable is all that may come before that."""
    async with asyncio.timeout(10):
        while True:
            try:
                assert await stub.ResolvePrompt(REQUEST, timeout=5) == pb.ResolvePromptResponse(name="greeting")
            except Unavailable:
                await asyncio.sleep(0.01)
            else:
                return


async def test_a_peer_that_is_not_there_is_unavailable_at_once(contract: Contract) -> None:
    async with open_links("127.0.0.1:1") as links, asyncio.timeout(5):
        stub = link_stub(contract, links)
        for _ in range(3):
            with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 is away"):
                await stub.ResolvePrompt(REQUEST, timeout=60)


async def test_a_name_that_stands_for_nothing_is_unavailable(contract: Contract) -> None:
    async with open_links("nobody.invalid:1") as links, asyncio.timeout(30):
        with pytest.raises(Unavailable, match=r"nobody\.invalid:1 stands for no address"):
            await link_stub(contract, links).ResolvePrompt(REQUEST, timeout=60)


async def test_when_the_stream_breaks_its_calls_end_at_once_and_the_next_one_finds_the_peer_again(
    contract: Contract, serve_with: Any
) -> None:
    held = Held()
    first = Server(contract, serve_with(resolve=held), grace=0)
    port = await first.port()
    async with open_links(f"127.0.0.1:{port}") as links:
        stub = link_stub(contract, links)
        calls = [asyncio.ensure_future(stub.ResolvePrompt(REQUEST, timeout=60)) for _ in range(10)]
        await held.entered.wait()
        await first.stop()
        async with asyncio.timeout(5):
            for call in calls:
                with pytest.raises(Unavailable):
                    await call
        with pytest.raises(Unavailable):
            await stub.ResolvePrompt(REQUEST, timeout=60)
        second = Server(contract, serve_with(resolve=echo), port, grace=0)
        await second.port()
        await answered(stub)
        await second.stop()


async def test_stopping_lets_calls_in_flight_end_and_takes_no_new_ones(contract: Contract, serve_with: Any) -> None:
    held = Held()
    server = Server(contract, serve_with(resolve=held), grace=10)
    async with open_links(f"127.0.0.1:{await server.port()}") as links:
        stub = link_stub(contract, links)
        call = asyncio.ensure_future(stub.ResolvePrompt(REQUEST, timeout=10))
        await held.entered.wait()
        stopping = asyncio.create_task(server.stop())
        async with asyncio.timeout(5):
            while links.ready() is not None:  # noqa: ASYNC110  nothing tells that a link drains
                await asyncio.sleep(0.005)
            with pytest.raises(Unavailable):
                await stub.ResolvePrompt(REQUEST, timeout=5)
            held.released.set()
            assert (await call).name == "greeting"
            await stopping


async def test_a_server_with_idle_links_stops_at_once(contract: Contract, serve_with: Any) -> None:
    server = Server(contract, serve_with(resolve=echo), grace=60)
    async with open_links(f"127.0.0.1:{await server.port()}") as links:
        await link_stub(contract, links).ResolvePrompt(REQUEST, timeout=5)
        async with asyncio.timeout(5):
            await server.stop()


async def test_links_that_grow_old_are_replaced_and_no_call_fails(contract: Contract, serve_with: Any) -> None:
    async def slow(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
        await asyncio.sleep(0.03)
        return pb.ResolvePromptResponse(name=request.name)

    answers = 0

    async def keep_calling(stub: Any) -> None:
        nonlocal answers
        until = asyncio.get_running_loop().time() + 1.0
        while asyncio.get_running_loop().time() < until:
            await stub.ResolvePrompt(REQUEST, timeout=5)
            answers += 1

    server = Server(contract, serve_with(resolve=slow), grace=5, link_age=0.05)
    async with open_links(f"127.0.0.1:{await server.port()}") as links:
        stub = link_stub(contract, links)
        await asyncio.gather(*(keep_calling(stub) for _ in range(20)))
        assert answers > 100
        (peer,) = links._peers
        assert len(peer._draining) < 5, "links that have drained are not let go"
    await server.stop()


async def test_a_stream_goes_on_while_its_link_drains(contract: Contract, serve_with: Any) -> None:
    go_on = asyncio.Event()

    async def watch(request: Any, context: Any) -> AsyncIterator[pb.WatchPromptsResponse]:
        yield pb.WatchPromptsResponse()
        await go_on.wait()
        for _ in range(10):
            yield pb.WatchPromptsResponse()

    server = Server(contract, serve_with(resolve=echo, watch=watch), grace=5, link_age=0.05)
    async with open_links(f"127.0.0.1:{await server.port()}") as links:
        stub = link_stub(contract, links)
        async with responses(stub.WatchPrompts(pb.WatchPromptsRequest(), timeout=10)) as items:
            await anext(items)
            (peer,) = links._peers
            async with asyncio.timeout(5):
                while not peer._draining:  # noqa: ASYNC110  nothing tells that a link drains
                    await asyncio.sleep(0.005)
            await answered(stub)
            go_on.set()
            assert len([item async for item in items]) == 10
    await server.stop()


async def test_each_peer_behind_a_name_gets_calls_and_one_that_is_away_gets_none(
    contract: Contract, serve_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def named(name: str) -> Any:
        async def resolve(request: Any, context: Any) -> pb.ResolvePromptResponse:
            return pb.ResolvePromptResponse(name=name)

        return serve_with(resolve=resolve)

    servers = {name: Server(contract, named(name), grace=5) for name in "abc"}
    targets = [f"127.0.0.1:{await server.port()}" for server in servers.values()] + ["127.0.0.1:1"]

    async def resolve(address: str) -> list[str]:
        return list(targets)

    monkeypatch.setattr(peers_module, "resolve", resolve)
    monkeypatch.setattr(peers_module, "RESOLVE_SECONDS", 0.05)

    async def until_only(stub: Any, names: str) -> None:
        async with asyncio.timeout(10):
            while {(await stub.ResolvePrompt(REQUEST, timeout=5)).name for _ in range(12)} != set(names):  # noqa: ASYNC110  nothing tells
                await asyncio.sleep(0.01)

    async with open_links("cache.tollway:50051") as links:
        stub = link_stub(contract, links)
        await until_only(stub, "abc")
        names = [(await stub.ResolvePrompt(REQUEST, timeout=5)).name for _ in range(300)]
        assert {name: names.count(name) for name in "abc"} == dict.fromkeys("abc", 100)
        gone = targets.pop(0)
        await until_only(stub, "bc")
        targets.append(gone)
        await until_only(stub, "abc")
        await servers["b"].stop()
        names = [(await stub.ResolvePrompt(REQUEST, timeout=5)).name for _ in range(100)]
        assert set(names) == {"a", "c"}
    for name in "ac":
        await servers[name].stop()


async def test_closing_the_links_ends_their_calls_on_both_sides_and_logs_nothing(
    contract: Contract, serve_with: Any, caplog: pytest.LogCaptureFixture
) -> None:
    held = Held()
    server = Server(contract, serve_with(resolve=held), grace=0)
    async with AsyncExitStack() as stack:
        links = await stack.enter_async_context(open_links(f"127.0.0.1:{await server.port()}"))
        call = asyncio.ensure_future(link_stub(contract, links).ResolvePrompt(REQUEST, timeout=60))
        await held.entered.wait()
        await stack.aclose()
        with pytest.raises(Unavailable):
            await call
        async with asyncio.timeout(5):
            await held.left.wait()
    await server.stop()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
