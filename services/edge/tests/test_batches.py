"""Batches leave in order, wait for company but not for long, and lose nothing silently."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
from tollway_edge.adapters.batches import Batches, SizedBatches
from tollway_servicekit.errors import Exhausted, InvalidRequest, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Receiver:
    """Takes batches, unless told to fail or to hold."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.failures: list[Exception] = []
        self.refused: set[int] = set()
        self.refusal: Exception = InvalidRequest("BAD", "one of these is bad")
        self.open = asyncio.Event()
        self.open.set()
        self.asked = asyncio.Event()

    async def take(self, batch: list[int]) -> None:
        self.asked.set()
        await self.open.wait()
        if self.failures:
            raise self.failures.pop(0)
        if self.refused & set(batch):
            raise self.refusal
        self.batches.append(list(batch))


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@asynccontextmanager
async def running(receiver: Receiver, **options: Any) -> AsyncIterator[Any]:
    kind: type[Batches[int]] = SizedBatches if "size_of" in options else Batches
    batches: Any = kind("test", receiver.take, **({"interval": 30} | options))
    job = asyncio.create_task(batches.run())
    yield batches
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job


def away() -> Unavailable:
    return Unavailable("AWAY", "nobody there")


async def test_items_wait_for_company_but_not_longer_than_the_interval(receiver: Receiver) -> None:
    async with running(receiver, interval=0.01) as batches:
        batches.add(1)
        batches.add(2)
        await asyncio.wait_for(receiver.asked.wait(), 5)
    assert receiver.batches == [[1, 2]]


async def test_batches_leave_in_order_and_no_larger_than_they_may(receiver: Receiver) -> None:
    async with running(receiver, most_per_batch=3) as batches:
        for item in range(8):
            batches.add(item)
        assert await batches.flush(5)
    assert receiver.batches == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert len(batches) == 0


async def test_a_flush_waits_for_what_is_on_its_way(receiver: Receiver) -> None:
    receiver.open.clear()
    async with running(receiver, most_per_batch=1) as batches:
        batches.add(1)
        await receiver.asked.wait()
        flushing = asyncio.create_task(batches.flush(5))
        await asyncio.sleep(0)
        assert not flushing.done()
        assert len(batches) == 1, "it has not arrived yet"
        receiver.open.set()
        assert await flushing
    assert receiver.batches == [[1]]


async def test_a_flush_of_nothing_is_done_and_one_that_takes_too_long_says_so(receiver: Receiver) -> None:
    async with running(receiver) as batches:
        assert await batches.flush(5)
        receiver.open.clear()
        batches.add(1)
        assert not await batches.flush(0.01)
        assert len(batches) == 1
        receiver.open.set()
        assert await batches.flush(5)
    assert receiver.batches == [[1]]


async def test_several_flushes_at_once_send_nothing_twice(receiver: Receiver) -> None:
    async with running(receiver, most_per_batch=2) as batches:
        for item in range(5):
            batches.add(item)
        assert await asyncio.gather(*[batches.flush(5) for _ in range(4)]) == [True] * 4
    assert list(chain(*receiver.batches)) == list(range(5))


async def test_a_flush_that_is_cancelled_leaves_everything_as_it_was(receiver: Receiver) -> None:
    receiver.open.clear()
    async with running(receiver, most_per_batch=1) as batches:
        batches.add(1)
        batches.add(2)
        flushing = asyncio.create_task(batches.flush(5))
        await receiver.asked.wait()
        flushing.cancel()
        await asyncio.wait({flushing})
        receiver.open.set()
        assert await batches.flush(5)
    assert receiver.batches == [[1], [2]]


async def test_what_must_arrive_is_sent_until_it_has(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.failures = [away(), away()]
    async with running(receiver, retries=True) as batches:
        batches.add(1)
        assert await batches.flush(5)
    assert receiver.batches == [[1]]
    assert (batches.dropped, caplog.text.count("trying again")) == (0, 2)


async def test_what_need_not_arrive_is_dropped_and_counted(receiver: Receiver) -> None:
    receiver.failures = [away()]
    async with running(receiver, most_per_batch=2) as batches:
        for item in range(4):
            batches.add(item)
        assert await batches.flush(5)
    assert (receiver.batches, batches.dropped, len(batches)) == ([[2, 3]], 2, 0)


async def test_beyond_the_bound_the_oldest_are_dropped_and_counted(receiver: Receiver) -> None:
    receiver.open.clear()
    async with running(receiver, most_per_batch=2, most_waiting=3) as batches:
        for item in range(2):
            batches.add(item)
        await receiver.asked.wait()
        for item in range(2, 8):
            batches.add(item)
        assert (batches.dropped, len(batches)) == (3, 5)
        receiver.open.set()
        assert await batches.flush(5)
    assert receiver.batches == [[0, 1], [5, 6], [7]]
    assert len(batches) == 0


@pytest.mark.parametrize("retries", [True, False])
@pytest.mark.parametrize(
    "refusal",
    [InvalidRequest("BAD", "bad"), Exhausted("RESOURCE_EXHAUSTED", "too large"), ValueError("Value out of range")],
)
async def test_one_item_that_is_refused_holds_up_no_others(
    receiver: Receiver, retries: bool, refusal: Exception
) -> None:
    receiver.refused, receiver.refusal = {2}, refusal
    async with running(receiver, retries=retries) as batches:
        for item in range(4):
            batches.add(item)
        assert await batches.flush(5)
    assert (list(chain(*receiver.batches)), batches.dropped, len(batches)) == ([0, 1, 3], 1, 0)


async def test_what_was_not_delivered_when_it_is_stopped_can_be_told(receiver: Receiver) -> None:
    receiver.open.clear()
    async with running(receiver, most_per_batch=2) as batches:
        for item in range(5):
            batches.add(item)
        await receiver.asked.wait()
    assert len(batches) == 5


async def test_a_batch_ends_where_its_bytes_do(receiver: Receiver) -> None:
    async with running(receiver, interval=0.01, size_of=lambda item: item, most_bytes_per_batch=10) as batches:
        for size in (6, 5, 20, 3, 4, 9):
            batches.add(size)
        assert await batches.flush(5)
    assert receiver.batches == [[6, 5], [20], [3, 4, 9]]
    assert batches.bytes == 0


async def test_no_more_bytes_are_held_than_may_be_and_the_oldest_are_dropped(receiver: Receiver) -> None:
    receiver.open.clear()
    async with running(receiver, interval=0, size_of=lambda item: item, most_bytes=100) as batches:
        batches.add(60)
        await receiver.asked.wait()  # it is on its way, and held until it has arrived
        batches.add(30)
        batches.add(41)  # is more than there will be, and takes the place of those that wait
        assert (batches.bytes, batches.dropped) == (60, 2)
        batches.add(40)
        assert (batches.bytes, batches.dropped) == (100, 2)
        receiver.open.set()
        assert await batches.flush(5)
    assert receiver.batches == [[60], [40]]
    assert batches.bytes == 0


async def test_an_item_that_is_larger_than_all_may_be_is_dropped_and_nothing_is_sent(receiver: Receiver) -> None:
    async with running(receiver, interval=0, size_of=lambda item: item, most_bytes=100) as batches:
        batches.add(101)
        assert (batches.bytes, batches.dropped, len(batches)) == (0, 1, 0)
        await asyncio.sleep(0.01)
        batches.add(3)
        assert await batches.flush(5)
    assert receiver.batches == [[3]]


async def test_a_flush_ends_although_what_it_waits_for_is_dropped(receiver: Receiver) -> None:
    receiver.open.clear()
    async with running(receiver, most_per_batch=1, size_of=int, most_bytes=10) as batches:
        batches.add(1)
        await receiver.asked.wait()
        batches.add(2)
        batches.add(3)
        flushing = asyncio.create_task(batches.flush(5))
        await asyncio.sleep(0)
        batches.add(11)
        receiver.open.set()
        assert await flushing
    assert (receiver.batches, batches.dropped, batches.bytes) == ([[1]], 3, 0)
