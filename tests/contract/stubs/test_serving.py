"""What a served contract offers to any gRPC client, and how it stops."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.channel import open_channel
from tollway_servicekit.errors import Unavailable
from tollway_servicekit.serve import serving
from tollway_servicekit.stubs import local_stub, plain_stub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_servicekit.contract import Contract


class Held:
    """Answers once it is released."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.released = asyncio.Event()

    async def ResolvePrompt(self, request: Any, context: Any) -> pb.ResolvePromptResponse:
        self.entered.set()
        await self.released.wait()
        return pb.ResolvePromptResponse(text="done")

    async def PublishPrompt(self, request: Any, context: Any) -> pb.PublishPromptResponse:
        return pb.PublishPromptResponse()

    async def WatchPrompts(self, request: Any, context: Any) -> AsyncIterator[pb.WatchPromptsResponse]:
        yield pb.WatchPromptsResponse()


async def test_health_answers_serving_for_the_process_and_each_service(contract: Contract) -> None:
    async with (
        serving([(contract, Held())], "127.0.0.1:0", grace=0) as port,
        open_channel(f"127.0.0.1:{port}") as channel,
    ):
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", contract.name):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_lists_the_service(contract: Contract) -> None:
    async with (
        serving([(contract, Held())], "127.0.0.1:0", grace=0) as port,
        open_channel(f"127.0.0.1:{port}") as channel,
    ):
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        answers = stub.ServerReflectionInfo(iter([asked]), timeout=5)
        listed = [service.name async for answer in answers for service in answer.list_services_response.service]
    assert contract.name in listed
    assert "grpc.health.v1.Health" in listed


@pytest.mark.parametrize("missing", ["ResolvePrompt", "WatchPrompts"])
async def test_a_servicer_that_lacks_a_method_fails_at_start(contract: Contract, missing: str) -> None:
    names = set(contract.methods) - {missing}
    servicer = type("Partial", (), {name: getattr(Held, name) for name in names})()
    with pytest.raises(TypeError, match=f"Partial does not serve {missing} of {contract.name}"):
        local_stub(contract, servicer)
    with pytest.raises(TypeError, match=missing):
        async with serving([(contract, servicer)], "127.0.0.1:0"):
            pass


async def test_a_taken_port_is_told_as_an_error_of_the_system(contract: Contract) -> None:
    async with serving([(contract, Held())], "127.0.0.1:0", grace=0) as port:
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with serving([(contract, Held())], f"127.0.0.1:{port}"):
                pass


async def test_a_peer_that_is_not_there_is_unavailable(contract: Contract) -> None:
    async with open_channel("127.0.0.1:1") as channel:
        with pytest.raises(Unavailable):
            await plain_stub(contract, channel).ResolvePrompt(pb.ResolvePromptRequest(), timeout=5)


async def test_stopping_lets_calls_in_flight_end(contract: Contract) -> None:
    held, stop = Held(), asyncio.Event()
    ports: asyncio.Queue[int] = asyncio.Queue()

    async def serve() -> None:
        async with serving([(contract, held)], "127.0.0.1:0", grace=10) as port:
            ports.put_nowait(port)
            await stop.wait()

    server = asyncio.create_task(serve())
    async with open_channel(f"127.0.0.1:{await ports.get()}") as channel:
        call = asyncio.ensure_future(plain_stub(contract, channel).ResolvePrompt(pb.ResolvePromptRequest(), timeout=10))
        await held.entered.wait()
        stop.set()
        await asyncio.sleep(0.05)  # the stop must be under way, and nothing tells that it is
        held.released.set()
        assert (await call).text == "done"
        await server


async def test_a_call_that_outlives_the_stop_is_unavailable(contract: Contract) -> None:
    held = Held()
    async with serving([(contract, held)], "127.0.0.1:0", grace=0) as port:
        channel = open_channel(f"127.0.0.1:{port}")
        call = asyncio.ensure_future(plain_stub(contract, channel).ResolvePrompt(pb.ResolvePromptRequest(), timeout=10))
        await held.entered.wait()
    with pytest.raises(Unavailable):
        await call
    await channel.close()


async def test_a_new_channel_does_not_begin_with_the_failures_of_another(contract: Any, serve_with: Any) -> None:
    async def answer(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
        return pb.ResolvePromptResponse(name=request.name)

    servicers = [(contract, serve_with(resolve=answer))]
    async with serving(servicers, "127.0.0.1:0", grace=0) as port:
        pass
    async with open_channel(f"127.0.0.1:{port}") as early:
        with pytest.raises(Unavailable):
            await plain_stub(contract, early).ResolvePrompt(pb.ResolvePromptRequest(), timeout=5)
        async with serving(servicers, f"127.0.0.1:{port}", grace=0), open_channel(f"127.0.0.1:{port}") as late:
            stub = plain_stub(contract, late)
            assert (await stub.ResolvePrompt(pb.ResolvePromptRequest(name="a"), timeout=5)).name == "a"
