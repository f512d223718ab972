"""What goes over a link, frame by frame: peers and callers that are silent, late, or speak nonsense."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from tollway.link.v1 import link_pb2
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.channel import open_channel
from tollway_servicekit.errors import DeadlineExceeded, InternalError, NotFound, Unavailable
from tollway_servicekit.link.frames import ANSWER, CALL, DRAIN, END, OPEN, call_frame, frame, read_frames
from tollway_servicekit.link.peers import open_links
from tollway_servicekit.serve import _handlers, serving
from tollway_servicekit.status import from_status
from tollway_servicekit.stubs import link_stub, responses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_servicekit.contract import Contract

REQUEST = pb.ResolvePromptRequest(name="greeting")
CARRY = "/tollway.link.v1.LinkService/Carry"


async def echo(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
    return pb.ResolvePromptResponse(name=request.name)


async def never(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets the event")


class SilentPeer:
    """Speaks links as a test tells it to."""

    def __init__(self, script: Any) -> None:
        self._script = script
        self._server = grpc.aio.server()
        handler = grpc.stream_stream_rpc_method_handler(
            self._carry,
            request_deserializer=link_pb2.CarryRequest.FromString,
            response_serializer=link_pb2.CarryResponse.SerializeToString,
        )
        service = grpc.method_handlers_generic_handler("tollway.link.v1.LinkService", {"Carry": handler})
        self._server.add_generic_rpc_handlers((service,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    async def __aenter__(self) -> SilentPeer:
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(0)

    async def _carry(self, requests: Any, rpc: Any) -> None:
        await rpc.write(link_pb2.CarryResponse(frames=frame(0, OPEN)))
        async for message in requests:
            for number, kind, _ in read_frames(message.frames):
                if kind == CALL and (answer := self._script(number)):
                    await rpc.write(link_pb2.CarryResponse(frames=answer))


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


class Caller:
    """A link as any program might use it."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.stream: Any = channel.stream_stream(
            CARRY,
            request_serializer=link_pb2.CarryRequest.SerializeToString,
            response_deserializer=link_pb2.CarryResponse.FromString,
        )()
        self._frames: list[tuple[int, int, bytes]] = []

    async def send(self, data: bytes) -> None:
        await self.stream.write(link_pb2.CarryRequest(frames=data))

    async def frame(self) -> tuple[int, int, bytes]:
        """Return the next frame, OPEN aside."""
        async with asyncio.timeout(5):
            while not self._frames:
                message = await self.stream.read()
                self._frames = [each for each in read_frames(message.frames) if each[1] != OPEN]
        return self._frames.pop(0)


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
