"""Every kind of stub behaves the same: server streams."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.context import CallContext, call_metadata
from tollway_servicekit.errors import ERROR_TYPES, DeadlineExceeded, InternalError, ServiceError
from tollway_servicekit.stubs import responses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REQUEST = pb.WatchPromptsRequest()


def item(name: str, template: str = "") -> pb.WatchPromptsResponse:
    return pb.WatchPromptsResponse(versions=[pb.PromptVersion(name=name, template=template)])


def name_of(response: pb.WatchPromptsResponse) -> str:
    return response.versions[0].name


class Feed:
    """Yields some items, then ends as told; tells when it was left."""

    def __init__(self, count: int, then: BaseException | str = "end", template: str = "") -> None:
        self.count = count
        self.then = then
        self.template = template
        self.waits = asyncio.Event()
        self.left = asyncio.Event()

    async def __call__(self, request: Any, context: CallContext) -> AsyncIterator[pb.WatchPromptsResponse]:
        try:
            for number in range(self.count):
                yield item(str(number), self.template)
            if isinstance(self.then, BaseException):
                raise self.then
            if self.then == "wait":
                self.waits.set()
                await asyncio.Event().wait()
        finally:
            self.left.set()

    async def was_left(self) -> None:
        async with asyncio.timeout(1):
            await self.left.wait()


async def names_of(call: Any, into: list[str]) -> list[str]:
    """Read to the end; `into` keeps what came before an error."""
    async with responses(call) as stream:
        async for response in stream:
            into.append(name_of(response))  # noqa: PERF401 - a comprehension would lose them
    return into


async def test_all_items_arrive_in_order_and_the_stream_ends(connect: Any) -> None:
    feed = Feed(500)
    stub = await connect(watch=feed)
    assert await names_of(stub.WatchPrompts(REQUEST), []) == [str(number) for number in range(500)]
    await feed.was_left()


async def test_a_stream_of_nothing_ends(connect: Any) -> None:
    stub = await connect(watch=Feed(0))
    assert await names_of(stub.WatchPrompts(REQUEST), []) == []


async def test_an_item_arrives_before_the_next_one_is_made(connect: Any) -> None:
    stub = await connect(watch=Feed(1, then="wait"))
    async with asyncio.timeout(5), responses(stub.WatchPrompts(REQUEST)) as stream:
        assert name_of(await anext(stream)) == "0"


@pytest.mark.parametrize("kind", ERROR_TYPES.values(), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("count", [0, 3])
async def test_an_error_arrives_whole_and_after_the_items_before_it(
    connect: Any, kind: type[ServiceError], count: int
) -> None:
    stub = await connect(watch=Feed(count, then=kind("CUT", "the feed was cut", {"at": "3"})))
    names: list[str] = []
    with pytest.raises(ServiceError) as caught:
        await names_of(stub.WatchPrompts(REQUEST), names)
    assert names == [str(number) for number in range(count)]
    error = caught.value
    assert type(error) is kind
    assert (error.reason, error.message, error.metadata) == ("CUT", "the feed was cut", {"at": "3"})


@pytest.mark.parametrize("defect", [ValueError("secret"), TimeoutError("secret")], ids=repr)
async def test_a_defect_becomes_an_internal_error_that_tells_nothing_and_is_logged(
    connect: Any, defect: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    stub = await connect(watch=Feed(1, then=defect))
    with pytest.raises(InternalError) as caught:
        await names_of(stub.WatchPrompts(REQUEST, timeout=5), [])
    assert "secret" not in str(caught.value)
    assert "PromptRegistryService/WatchPrompts failed" in caplog.text


async def test_a_servicer_that_gives_up_by_cancellation_fails_the_stream_and_not_its_reader(connect: Any) -> None:
    stub = await connect(watch=Feed(1, then=asyncio.CancelledError()))
    with pytest.raises(InternalError):
        await names_of(stub.WatchPrompts(REQUEST, timeout=5), [])


async def test_past_the_deadline_the_stream_fails_after_its_items_and_the_servicer_is_cancelled(connect: Any) -> None:
    feed = Feed(2, then="wait")
    stub = await connect(watch=feed)
    names: list[str] = []
    with pytest.raises(DeadlineExceeded):
        await names_of(stub.WatchPrompts(REQUEST, timeout=0.2), names)
    assert names == ["0", "1"]
    await feed.was_left()


async def test_leaving_a_stream_early_ends_a_servicer_that_waits(connect: Any) -> None:
    feed = Feed(1, then="wait")
    stub = await connect(watch=feed)
    async with responses(stub.WatchPrompts(REQUEST, timeout=60)) as stream:
        await anext(stream)
    await feed.was_left()


async def test_leaving_a_stream_early_ends_a_servicer_that_is_held_up_by_its_reader(connect: Any) -> None:
    feed = Feed(1000, template="x" * 1_000_000)
    stub = await connect(watch=feed)
    async with responses(stub.WatchPrompts(REQUEST, timeout=60)) as stream:
        await anext(stream)
        assert not feed.left.is_set()
    await feed.was_left()


async def test_a_reader_that_is_cancelled_ends_the_servicer(connect: Any) -> None:
    feed = Feed(1, then="wait")
    stub = await connect(watch=feed)
    reader = asyncio.create_task(names_of(stub.WatchPrompts(REQUEST, timeout=60), []))
    await feed.waits.wait()
    reader.cancel()
    await feed.was_left()
    with pytest.raises(asyncio.CancelledError):
        await reader


async def test_a_readers_own_time_limit_is_not_taken_for_the_streams(connect: Any) -> None:
    feed = Feed(1, then="wait")
    stub = await connect(watch=feed)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(names_of(stub.WatchPrompts(REQUEST, timeout=60), []), 0.1)
    await feed.was_left()


async def test_workspace_and_trace_arrive(connect: Any) -> None:
    async def watch(request: Any, context: CallContext) -> AsyncIterator[pb.WatchPromptsResponse]:
        yield item(context.workspace, context.traceparent)

    stub = await connect(watch=watch)
    async with responses(stub.WatchPrompts(REQUEST, metadata=call_metadata("acme", "00-1-2-01"))) as stream:
        assert await anext(stream) == item("acme", "00-1-2-01")


async def test_a_large_item_passes(connect: Any) -> None:
    stub = await connect(watch=Feed(2, template="x" * 20 * 1024 * 1024))
    async with responses(stub.WatchPrompts(REQUEST, timeout=30)) as stream:
        assert [len(response.versions[0].template) async for response in stream] == [20 * 1024 * 1024] * 2


async def test_concurrent_streams_do_not_mix(connect: Any) -> None:
    everybody_is_in = asyncio.Barrier(200)

    async def watch(request: Any, context: CallContext) -> AsyncIterator[pb.WatchPromptsResponse]:
        await everybody_is_in.wait()
        for number in range(5):
            yield item(f"{context.workspace}-{number}")
            await asyncio.sleep(0)

    async def read(number: int) -> list[str]:
        call = stub.WatchPrompts(REQUEST, timeout=30, metadata=call_metadata(str(number)))
        return await names_of(call, [])

    stub = await connect(watch=watch)
    names = await asyncio.gather(*map(read, range(200)))
    assert names == [[f"{reader}-{number}" for number in range(5)] for reader in range(200)]
