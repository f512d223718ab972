"""What a link keeps is bounded whatever the other end does, and one peer's trouble is not another's."""

from __future__ import annotations

import asyncio
import math
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from contract.stubs.link_speakers import Caller, SilentPeer
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.channel import open_channel
from tollway_servicekit.errors import DeadlineExceeded, Unavailable
from tollway_servicekit.link import client as client_module
from tollway_servicekit.link import peers as peers_module
from tollway_servicekit.link.flow import ITEM_COST, WINDOW_BYTES
from tollway_servicekit.link.frames import END, ITEM, PART, call_frame, frame
from tollway_servicekit.link.http2 import wire
from tollway_servicekit.link.peers import open_links
from tollway_servicekit.link.server import ServedLink
from tollway_servicekit.link.writer import HIGH_WATER_BYTES
from tollway_servicekit.serve import serving
from tollway_servicekit.stubs import link_stub, responses

if TYPE_CHECKING:
    from tollway_servicekit.contract import Contract

REQUEST = pb.ResolvePromptRequest(name="greeting")
BULKY = pb.ResolvePromptRequest(name="x" * 60_000)


async def echo(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
    return pb.ResolvePromptResponse(name=request.name)


async def test_a_caller_that_never_reads_is_not_read_further(
    contract: Contract, serve_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, enough = 0, 16 * HIGH_WATER_BYTES

    class Watched(ServedLink):
        def _take(self, number: int, kind: int, body: bytes) -> None:
            nonlocal kept
            super()._take(number, kind, body)
            kept = max(kept, self._writer._bytes)

    monkeypatch.setattr("tollway_servicekit.link.server.ServedLink", Watched)
    calls = b"".join(call_frame(number, f"/nobody/{'x' * 1000}", (), None, b"") for number in range(1, 100))
    async with (
        serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", grace=0) as port,
        open_channel(f"127.0.0.1:{port}") as channel,
    ):
        caller = Caller(channel)
        sending = asyncio.create_task(_send(caller, calls, 4 * enough // len(calls)))
        done, _ = await asyncio.wait([sending], timeout=2)
        assert not done, "all of it was read"
        assert kept < enough
        number, kind, _ = await caller.frame()
        assert (number, kind) == (1, END), "who reads again is served again"
        sending.cancel()
        await asyncio.wait([sending])


async def _send(caller: Caller, data: bytes, times: int) -> None:
    for _ in range(times):
        await caller.send(data)


@pytest.mark.parametrize("size", [0, 1000])
@pytest.mark.parametrize("is_broken", [False, True])
async def test_a_peer_that_ignores_credit_loses_its_link(contract: Contract, size: int, is_broken: bool) -> None:
    version = pb.PromptVersion(template="x" * size)
    item = pb.WatchPromptsResponse(versions=[version] if size else []).SerializeToString()
    allowed = math.ceil(WINDOW_BYTES / (len(item) + ITEM_COST))

    def script(number: int) -> bytes:
        return frame(number, ITEM, item) * (allowed + is_broken) + frame(number, END)

    async with SilentPeer(script) as peer, open_links(f"127.0.0.1:{peer.port}") as links:
        call = link_stub(contract, links).WatchPrompts(pb.WatchPromptsRequest(), timeout=5)
        with pytest.raises(Unavailable, match="no room") if is_broken else nullcontext():
            async with responses(call) as items:
                assert len([each async for each in items]) == allowed


async def test_a_peer_that_sends_parts_of_nothing_loses_its_link(contract: Contract) -> None:
    async with (
        SilentPeer(lambda number: frame(number, PART)) as peer,
        open_links(f"127.0.0.1:{peer.port}") as links,
    ):
        with pytest.raises(Unavailable, match="no frame"):
            await link_stub(contract, links).ResolvePrompt(REQUEST, timeout=2)


class Stuck(SilentPeer):
    """Opens links and reads nothing of them."""

    async def _carry(self, requests: Any, rpc: Any) -> None:
        await super()._carry(_nothing(), rpc)


async def test_calls_that_wait_for_room_take_the_first_peer_that_has_some(
    contract: Contract, serve_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        Stuck(None) as stuck,
        serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", grace=0) as port,
        asyncio.timeout(30),
    ):
        name_both(monkeypatch, stuck.port, port)
        async with open_links("cache.tollway:50051") as links:
            stub = link_stub(contract, links)
            await _open(stub, links, 2)
            calls = [stub.ResolvePrompt(BULKY, timeout=3) for _ in range(200)]
            ends = await asyncio.gather(*calls, return_exceptions=True)
            late = sum(isinstance(end, DeadlineExceeded) for end in ends)
            assert late < 12, "more than the link to the stuck peer holds went there"


async def test_calls_that_wait_for_room_find_a_peer_that_comes_back(
    contract: Contract, serve_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", grace=0) as port:
        pass
    async with Stuck(None) as stuck, asyncio.timeout(30):
        name_both(monkeypatch, stuck.port, port)
        async with open_links("cache.tollway:50051") as links:
            stub = link_stub(contract, links)
            await _open(stub, links, 1)
            calls = asyncio.gather(*(stub.ResolvePrompt(BULKY, timeout=8) for _ in range(100)), return_exceptions=True)
            await asyncio.sleep(0.3)  # the one peer is full, the other one away, and all others wait
            async with serving([(contract, serve_with(resolve=echo))], f"127.0.0.1:{port}", grace=0):
                late = sum(isinstance(end, DeadlineExceeded) for end in await calls)
            assert late < 12, "nobody looked for the peer that came back"


def name_both(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    async def resolve(address: str) -> list[str]:
        return [f"127.0.0.1:{port}" for port in ports]

    monkeypatch.setattr(peers_module, "resolve", resolve)


async def _nothing() -> Any:
    await asyncio.Event().wait()
    yield


async def _open(stub: Any, links: Any, count: int) -> None:
    while links.open < count:
        try:
            await stub.ResolvePrompt(REQUEST, timeout=0.1)
        except (DeadlineExceeded, Unavailable):
            await asyncio.sleep(0)


async def test_a_peer_whose_links_break_at_once_is_asked_ever_more_seldom(contract: Contract) -> None:
    async with SilentPeer(lambda number: b"nonsense") as peer, open_links(f"127.0.0.1:{peer.port}") as links:
        stub = link_stub(contract, links)
        until = asyncio.get_running_loop().time() + 0.65
        while asyncio.get_running_loop().time() < until:
            with pytest.raises(Unavailable):
                await stub.ResolvePrompt(REQUEST, timeout=5)
            await asyncio.sleep(0.005)
        assert links.tally.opened == links.tally.breaks == peer.links
        assert peer.links <= 4  # after 0, 100 and 300 ms, and maybe 700, give or take a fifth


async def test_a_peer_that_takes_a_connection_and_begins_no_link_is_given_up_and_tried_again(
    contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "CONNECT_SECONDS", 0.05)
    taken = 0

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        taken += 1
        writer.write(wire.settings_frame({}))
        await reader.read()
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server, asyncio.timeout(10):
        port = server.sockets[0].getsockname()[1]
        async with open_links(f"127.0.0.1:{port}") as links:
            while taken < 2:
                with pytest.raises(Unavailable, match="begins no link"):
                    await link_stub(contract, links).ResolvePrompt(REQUEST, timeout=5)
                await asyncio.sleep(0.01)


async def test_a_peer_that_dns_forgot_is_let_go_once_its_calls_have_ended(
    contract: Contract, serve_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = asyncio.Event()

    async def resolve_prompt(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
        if request.name.startswith("held"):
            await release.wait()
        return pb.ResolvePromptResponse(name=request.name)

    servicer = serve_with(resolve=resolve_prompt)
    async with (
        serving([(contract, servicer)], "127.0.0.1:0", grace=0) as one,
        serving([(contract, servicer)], "127.0.0.1:0", grace=0) as two,
        asyncio.timeout(10),
    ):
        targets = [f"127.0.0.1:{one}"]

        async def resolve(address: str) -> list[str]:
            return list(targets)

        monkeypatch.setattr(peers_module, "resolve", resolve)
        monkeypatch.setattr(peers_module, "RESOLVE_SECONDS", 0.02)
        async with open_links("cache.tollway:50051") as links:
            stub = link_stub(contract, links)
            names = ["held", "held" + "x" * 100_000]  # in one message, and in parts
            held = [asyncio.ensure_future(stub.ResolvePrompt(pb.ResolvePromptRequest(name=n))) for n in names]
            await stub.ResolvePrompt(REQUEST, timeout=5)
            targets[:] = [f"127.0.0.1:{two}"]
            while not links._gone:
                await stub.ResolvePrompt(REQUEST, timeout=5)
                await asyncio.sleep(0.005)
            for _ in range(10):
                await stub.ResolvePrompt(REQUEST, timeout=5)
                await asyncio.sleep(0.01)
            assert links._gone, "calls in flight were cut"
            release.set()
            assert [(await call).name for call in held] == names
            while links._gone:
                await stub.ResolvePrompt(REQUEST, timeout=5)
                await asyncio.sleep(0.005)
