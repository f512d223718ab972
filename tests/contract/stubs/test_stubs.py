"""Every kind of stub behaves the same: unary calls, and what streams share with them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.context import CallContext, call_metadata
from tollway_servicekit.errors import ERROR_TYPES, DeadlineExceeded, InternalError, NotFound, ServiceError

REQUEST = pb.ResolvePromptRequest(name="greeting")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
LARGE = 20 * 1024 * 1024


async def echo(request: pb.ResolvePromptRequest, context: CallContext) -> pb.ResolvePromptResponse:
    return pb.ResolvePromptResponse(name=request.name, text=request.name)


class Stuck:
    """A handler that never answers; tells when it was entered and left."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.left = asyncio.Event()

    async def __call__(self, request: Any, context: CallContext) -> pb.ResolvePromptResponse:
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.left.set()
        raise AssertionError("nobody sets the event")


def raising(error: BaseException) -> Any:
    async def handler(request: Any, context: CallContext) -> pb.ResolvePromptResponse:
        raise error

    return handler


async def test_a_call_is_answered(connect: Any) -> None:
    stub = await connect(resolve=echo)
    assert await stub.ResolvePrompt(REQUEST) == pb.ResolvePromptResponse(name="greeting", text="greeting")


@pytest.mark.parametrize("kind", ERROR_TYPES.values(), ids=lambda kind: kind.__name__)
async def test_an_error_arrives_with_its_kind_reason_message_and_metadata(
    connect: Any, kind: type[ServiceError]
) -> None:
    stub = await connect(resolve=raising(kind("CAP_REACHED", "the cap of “acme”\nis reached", {"cap": "1000"})))
    with pytest.raises(ServiceError) as caught:
        await stub.ResolvePrompt(REQUEST)
    error = caught.value
    assert type(error) is kind
    assert (error.reason, error.message) == ("CAP_REACHED", "the cap of “acme”\nis reached")
    assert error.metadata == {"cap": "1000"}


async def test_an_error_with_a_long_message_keeps_its_kind_and_reason(connect: Any) -> None:
    stub = await connect(
        resolve=raising(NotFound("PROMPT_NOT_FOUND", "no such prompt; there are: " + "naïve, " * 5000))
    )
    with pytest.raises(NotFound, match=r"there are: naïve, .*…$") as caught:
        await stub.ResolvePrompt(REQUEST)
    assert caught.value.reason == "PROMPT_NOT_FOUND"


@pytest.mark.parametrize("defect", [KeyError("secret"), TimeoutError("secret"), OSError("secret")], ids=repr)
async def test_a_defect_becomes_an_internal_error_that_tells_nothing_and_is_logged(
    connect: Any, defect: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    stub = await connect(resolve=raising(defect))
    with pytest.raises(InternalError) as caught:
        await stub.ResolvePrompt(REQUEST, timeout=5)
    assert caught.value.reason == "INTERNAL"
    assert "secret" not in str(caught.value)
    assert "/tollway.prompt_registry.v1.PromptRegistryService/ResolvePrompt failed" in caplog.text
    assert "secret" in caplog.text


async def test_a_handler_that_gives_up_by_cancellation_fails_its_call_and_not_its_caller(connect: Any) -> None:
    stub = await connect(resolve=raising(asyncio.CancelledError()))
    with pytest.raises(InternalError):
        await stub.ResolvePrompt(REQUEST, timeout=5)


async def test_past_the_deadline_the_call_fails_and_the_handler_is_cancelled(connect: Any) -> None:
    stuck = Stuck()
    stub = await connect(resolve=stuck)
    with pytest.raises(DeadlineExceeded) as caught:
        await stub.ResolvePrompt(REQUEST, timeout=0.1)
    assert caught.value.reason == "DEADLINE_EXCEEDED"
    async with asyncio.timeout(1):
        await stuck.left.wait()


async def test_a_caller_that_gives_up_cancels_the_handler(connect: Any) -> None:
    stuck = Stuck()
    stub = await connect(resolve=stuck)
    call = asyncio.ensure_future(stub.ResolvePrompt(REQUEST, timeout=60))
    await stuck.entered.wait()
    call.cancel()
    async with asyncio.timeout(1):
        await stuck.left.wait()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_workspace_trace_and_deadline_arrive(connect: Any) -> None:
    seen: list[CallContext] = []

    async def handler(request: Any, context: CallContext) -> pb.ResolvePromptResponse:
        seen.append(context)
        assert 0 < (context.time_remaining() or 0) < 31  # gRPC rounds a timeout up by as much as a hundredth
        return pb.ResolvePromptResponse()

    stub = await connect(resolve=handler)
    await stub.ResolvePrompt(REQUEST, timeout=30, metadata=call_metadata("acme", TRACE))
    assert (seen[0].workspace, seen[0].traceparent) == ("acme", TRACE)
    assert seen[0].metadata() == call_metadata("acme", TRACE)


async def test_a_call_without_metadata_and_deadline_has_neither(connect: Any) -> None:
    seen: list[CallContext] = []

    async def handler(request: Any, context: CallContext) -> pb.ResolvePromptResponse:
        seen.append(context)
        return pb.ResolvePromptResponse()

    stub = await connect(resolve=handler)
    await stub.ResolvePrompt(REQUEST)
    assert seen == [CallContext()]
    assert seen[0].time_remaining() is None


async def test_a_large_message_passes_both_ways(connect: Any) -> None:
    stub = await connect(resolve=echo)
    answer = await stub.ResolvePrompt(pb.ResolvePromptRequest(name="x" * (LARGE // 2)), timeout=30)
    assert len(answer.SerializeToString()) > LARGE


async def test_concurrent_calls_do_not_mix(connect: Any) -> None:
    everybody_is_in = asyncio.Barrier(200)

    async def handler(request: pb.ResolvePromptRequest, context: CallContext) -> pb.ResolvePromptResponse:
        await everybody_is_in.wait()
        return pb.ResolvePromptResponse(name=request.name, text=context.workspace)

    async def ask(number: int) -> tuple[str, str]:
        request = pb.ResolvePromptRequest(name=str(number))
        answer = await stub.ResolvePrompt(request, timeout=30, metadata=call_metadata(f"workspace-{number}"))
        return answer.name, answer.text

    stub = await connect(resolve=handler)
    answers = await asyncio.gather(*map(ask, range(200)))
    assert answers == [(str(number), f"workspace-{number}") for number in range(200)]
