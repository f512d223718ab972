"""What goes over a link, frame by frame: peers and callers that are silent, late, or speak nonsense."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from contract.stubs.link_speakers import Caller, SilentPeer
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.channel import open_channel
from tollway_servicekit.context import call_metadata
from tollway_servicekit.errors import DeadlineExceeded, InternalError, NotFound, Unavailable
from tollway_servicekit.link.frames import ANSWER, CALL, DRAIN, END, ITEM, call_frame, frame
from tollway_servicekit.link.peers import open_links
from tollway_servicekit.serve import _handlers, serving
from tollway_servicekit.status import from_status
from tollway_servicekit.stubs import link_stub, responses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_servicekit.contract import Contract

REQUEST = pb.ResolvePromptRequest(name="greeting")


async def echo(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
    return pb.ResolvePromptResponse(name=request.name)


async def never(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets the event")


async def test_a_peer_without_links_is_called_plainly(contract: Contract, serve_with: Any) -> None:
    async def refuse(request: Any, context: Any) -> pb.ResolvePromptResponse:
        raise NotFound("PROMPT_NOT_FOUND", "there is none")

    async def watch(request: Any, context: Any) -> AsyncIterator[pb.WatchPromptsResponse]:
        for _ in range(3):
            yield pb.WatchPromptsResponse()

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_handlers(contract, serve_with(resolve=refuse, watch=watch)),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with open_links(f"127.0.0.1:{port}") as links:
        stub = link_stub(contract, links)
        for _ in range(3):
            with pytest.raises(NotFound):
                await stub.ResolvePrompt(REQUEST, timeout=5)
        async with responses(stub.WatchPrompts(pb.WatchPromptsRequest(), timeout=5)) as items:
            assert len([item async for item in items]) == 3
    await server.stop(0)


async def test_a_peer_that_is_silent_fails_the_call_at_its_deadline(contract: Contract) -> None:
    async with SilentPeer(lambda number: b"") as peer, open_links(f"127.0.0.1:{peer.port}") as links:
        with pytest.raises(DeadlineExceeded):
            await link_stub(contract, links).ResolvePrompt(REQUEST, timeout=0.05)


async def test_a_peer_that_sends_what_is_no_frame_loses_its_link(contract: Contract) -> None:
    async with SilentPeer(lambda number: b"nonsense") as peer, open_links(f"127.0.0.1:{peer.port}") as links:
        with pytest.raises(Unavailable, match="no frame"):
            await link_stub(contract, links).ResolvePrompt(REQUEST, timeout=5)


async def test_late_frames_of_other_calls_and_unknown_kinds_are_passed_over(contract: Contract) -> None:
    def script(number: int) -> bytes:
        answer = pb.ResolvePromptResponse(name="right").SerializeToString()
        return frame(number + 7, ANSWER, b"stray") + frame(number, 200, b"news") + frame(number, ANSWER, answer)

    async with SilentPeer(script) as peer, open_links(f"127.0.0.1:{peer.port}") as links:
        assert (await link_stub(contract, links).ResolvePrompt(REQUEST, timeout=5)).name == "right"


async def test_a_unary_call_that_ends_without_an_answer_fails(contract: Contract) -> None:
    async with SilentPeer(lambda number: frame(number, END)) as peer, open_links(f"127.0.0.1:{peer.port}") as links:
        with pytest.raises(InternalError):
            await link_stub(contract, links).ResolvePrompt(REQUEST, timeout=5)


async def test_a_method_that_nobody_serves_is_unimplemented_and_the_link_lives(
    contract: Contract, serve_with: Any
) -> None:
    async with (
        serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", grace=0) as port,
        open_channel(f"127.0.0.1:{port}") as channel,
    ):
        caller = Caller(channel)
        await caller.send(call_frame(1, "/a.B/C", (), 5, b""))
        number, kind, body = await caller.frame()
        assert (number, kind, from_status(body).reason) == (1, END, "UNIMPLEMENTED")
        path = contract.methods["ResolvePrompt"].path
        await caller.send(call_frame(2, path, (), 5, REQUEST.SerializeToString()))
        number, kind, body = await caller.frame()
        assert (number, kind, pb.ResolvePromptResponse.FromString(body).name) == (2, ANSWER, "greeting")


@pytest.mark.parametrize("data", [b"nonsense", frame(1, CALL, b"abc")], ids=["no frame", "no call"])
async def test_a_caller_that_sends_what_is_no_frame_loses_its_link(
    contract: Contract, serve_with: Any, data: bytes
) -> None:
    async with (
        serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", grace=0) as port,
        open_channel(f"127.0.0.1:{port}") as channel,
    ):
        caller = Caller(channel)
        await caller.send(data)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await caller.frame()
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_the_servers_own_deadline_holds_where_the_caller_forgets_its_call(
    contract: Contract, serve_with: Any
) -> None:
    async with (
        serving([(contract, serve_with(resolve=never))], "127.0.0.1:0", grace=0) as port,
        open_channel(f"127.0.0.1:{port}") as channel,
    ):
        caller = Caller(channel)
        path = contract.methods["ResolvePrompt"].path
        await caller.send(call_frame(1, path, (), 0.05, REQUEST.SerializeToString()))
        number, kind, body = await caller.frame()
        assert (number, kind, from_status(body).reason) == (1, END, "DEADLINE_EXCEEDED")


async def test_a_link_that_drains_serves_what_came_before_its_caller_knew(contract: Contract, serve_with: Any) -> None:
    async with (
        serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", grace=0, link_age=0) as port,
        open_channel(f"127.0.0.1:{port}") as channel,
    ):
        caller = Caller(channel)
        assert await caller.frame() == (0, DRAIN, b"")
        path = contract.methods["ResolvePrompt"].path
        await caller.send(call_frame(1, path, (), 5, REQUEST.SerializeToString()))
        await caller.stream.done_writing()
        number, kind, _ = await caller.frame()
        assert (number, kind) == (1, ANSWER)
        assert await caller.stream.read() is grpc.aio.EOF


async def test_an_answer_that_is_no_message_fails_as_a_service_error(contract: Contract) -> None:
    async with (
        SilentPeer(lambda number: frame(number, ANSWER, b"\xff")) as peer,
        open_links(f"127.0.0.1:{peer.port}") as links,
    ):
        with pytest.raises(InternalError):
            await link_stub(contract, links).ResolvePrompt(REQUEST, timeout=5)


async def test_an_item_that_is_no_message_fails_as_a_service_error(contract: Contract) -> None:
    async with (
        SilentPeer(lambda number: frame(number, ITEM, b"\xff")) as peer,
        open_links(f"127.0.0.1:{peer.port}") as links,
    ):
        with pytest.raises(InternalError):
            async with responses(link_stub(contract, links).WatchPrompts(pb.WatchPromptsRequest(), timeout=5)) as items:
                await anext(items)


@pytest.mark.parametrize("value", ["acme\0traceparent\0forged", "acme\0", "half of a pair: \ud83d"])
async def test_metadata_that_cannot_be_sent_fails_its_own_call_and_no_other(
    contract: Contract, serve_with: Any, value: str
) -> None:
    async with (
        serving([(contract, serve_with(resolve=never))], "127.0.0.1:0", grace=0) as port,
        open_links(f"127.0.0.1:{port}") as links,
    ):
        stub = link_stub(contract, links)
        other = asyncio.ensure_future(stub.ResolvePrompt(REQUEST, timeout=0.3))
        await asyncio.sleep(0.1)
        with pytest.raises(ValueError, match=r"metadata|surrogates"):
            await stub.ResolvePrompt(REQUEST, timeout=5, metadata=call_metadata(value))
        with pytest.raises(DeadlineExceeded):
            await other
        (peer,) = links._peers
        assert peer.link._calls == {}, "a call that was never sent is kept"
