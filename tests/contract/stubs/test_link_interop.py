"""Links between us and grpcio: either end, with small windows and large messages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from contract.stubs.link_speakers import CARRY, Caller
from tollway.link.v1 import link_pb2
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.channel import CHANNEL_OPTIONS
from tollway_servicekit.link.frames import ANSWER, call_frame
from tollway_servicekit.link.http2.caller import open_carry
from tollway_servicekit.serve import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_servicekit.contract import Contract


async def echo(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
    return pb.ResolvePromptResponse(text=request.name)


class Kept:
    """A link that counts."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.room = asyncio.Event()
        self.end = asyncio.get_running_loop().create_future()

    def took(self, data: bytes, start: int, stop: int) -> None:
        self.lengths.append(stop - start)

    def has_room(self) -> None:
        self.room.set()

    def half_closed(self) -> None: ...

    def going_away(self) -> None: ...

    def ended(self, code: int, why: str) -> None:
        self.end.set_result((code, why))


@pytest.mark.parametrize("window", [16_384, 4_000_000])
async def test_a_caller_with_grpcio_has_links_too_whatever_its_window(
    contract: Contract, serve_with: Any, window: int
) -> None:
    options = [*CHANNEL_OPTIONS, ("grpc.http2.lookahead_bytes", window), ("grpc.http2.max_frame_size", 16_384)]
    async with (
        serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", grace=0) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel,
        asyncio.timeout(20),
    ):
        caller = Caller(channel)
        path = contract.methods["ResolvePrompt"].path
        request = pb.ResolvePromptRequest(name="x" * 2_000_000).SerializeToString()
        await caller.send(call_frame(1, path, (), 20, request))
        length = 0
        while True:
            _, kind, body = await caller.frame()
            length += len(body)
            if kind == ANSWER:
                break
        assert length > 2_000_000


async def test_small_and_long_answers_to_a_caller_with_grpcio_all_arrive(contract: Contract, serve_with: Any) -> None:
    path = contract.methods["ResolvePrompt"].path
    small, long = (pb.ResolvePromptRequest(name="x" * size).SerializeToString() for size in (1, 200_000))
    calls = range(1, 401)

    async def ask(caller: Caller) -> None:
        for first in calls[::4]:  # together, so that answers wait for one another
            frames = [call_frame(first + place, path, (), 20, long if place == 1 else small) for place in range(4)]
            await caller.send(b"".join(frames))

    async with (
        serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", grace=0) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL_OPTIONS) as channel,
        asyncio.timeout(20),
        asyncio.TaskGroup() as group,
    ):
        caller = Caller(channel)
        group.create_task(ask(caller))
        missing = set(calls)
        while missing:
            number, kind, _ = await caller.frame()
            if kind == ANSWER:
                missing.remove(number)


@pytest.mark.parametrize("window", [16_384, 4_000_000])
async def test_our_caller_has_links_with_a_server_on_grpcio_whatever_its_window(
    contract: Contract, serve_with: Any, window: int
) -> None:
    took = 0

    async def carry(requests: Any, rpc: Any) -> AsyncIterator[link_pb2.CarryResponse]:
        nonlocal took
        yield link_pb2.CarryResponse(frames=b"")
        async for message in requests:
            took += len(message.frames)
            yield link_pb2.CarryResponse(frames=b"\0" * 300_000)

    options = [*CHANNEL_OPTIONS, ("grpc.http2.lookahead_bytes", window)]
    server = grpc.aio.server(options=options)
    handler = grpc.stream_stream_rpc_method_handler(
        carry,
        request_deserializer=link_pb2.CarryRequest.FromString,
        response_serializer=link_pb2.CarryResponse.SerializeToString,
    )
    service, _, method = CARRY.strip("/").partition("/")
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    link = Kept()
    stream = await open_carry(link, f"127.0.0.1:{port}")
    async with asyncio.timeout(20):
        for _ in range(20):
            if not stream.write([bytes(500_000)], 500_000):
                await link.room.wait()
                link.room.clear()
        while len(link.lengths) < 21:  # noqa: ASYNC110  the link is called, not awaited
            await asyncio.sleep(0.005)
        stream.finish()
        assert (await link.end) == (0, "")
    assert (took, link.lengths) == (20 * 500_000, [0, *[300_000] * 20])
    await stream.closed
    await server.stop(0)
