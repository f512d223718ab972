"""Telling of stored answers: in few messages, again where Redis did not take one, and an end that leaves nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tollway_cache.adapters import redis_key_teller
from tollway_cache.adapters.redis_key_teller import MANY_KEYS, MOST_UNTOLD_KEYS, KeyTeller
from tollway_cache.domain.ports import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

ONE, TWO, THREE = (bytes([number]) * 32 for number in (1, 2, 3))


class Pipeline:
    """Notes what is published; a test answers it, or lets it be refused."""

    def __init__(self) -> None:
        self.told: list[bytes] = []
        self.answers: list[asyncio.Future[object]] = []
        self.is_full = False
        self.refused = 0

    def ask(self, commands: bytes, count: int = 1) -> asyncio.Future[object]:
        if self.is_full:
            self.refused += 1
            raise StoreUnavailable("Redis does not keep up")
        self.told.append(commands.split(b"\r\n", 6)[6][:-2])
        self.answers.append(asyncio.get_running_loop().create_future())
        return self.answers[-1]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.001)


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setattr(redis_key_teller, "AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(redis_key_teller, "UNTOLD_SECONDS", 0.02)
    return Pipeline()


async def test_what_is_stored_within_a_while_is_told_at_once(pipeline: Pipeline) -> None:
    teller = KeyTeller(pipeline)
    for key in (ONE, TWO):
        teller.note([key])
    assert pipeline.told == []
    await pipeline.until(lambda: pipeline.told == [ONE + TWO])
    teller.note([THREE])  # one message at a time
    pipeline.answers[0].set_result(0)
    await pipeline.until(lambda: pipeline.told == [ONE + TWO, THREE])


@pytest.mark.parametrize("refusal", [ConnectionError("gone"), None])
async def test_what_redis_did_not_take_is_told_again(pipeline: Pipeline, refusal: Exception | None) -> None:
    teller = KeyTeller(pipeline)
    teller.note([ONE])
    await pipeline.until(lambda: pipeline.told == [ONE])
    teller.note([TWO])
    answer = pipeline.answers.pop()
    answer.set_result(refusal) if refusal else answer.cancel()
    await pipeline.until(lambda: pipeline.told[1:] == [ONE + TWO])


async def test_what_found_no_room_on_the_way_to_redis_is_told_again(pipeline: Pipeline) -> None:
    pipeline.is_full = True
    KeyTeller(pipeline).note([ONE])
    await pipeline.until(lambda: pipeline.refused > 1)
    pipeline.is_full = False
    await pipeline.until(lambda: pipeline.told == [ONE])


async def test_very_many_are_told_before_their_time(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_key_teller, "UNTOLD_SECONDS", 60)
    KeyTeller(pipeline).note([ONE] * MANY_KEYS)
    assert pipeline.told == [ONE * MANY_KEYS]


async def test_what_redis_does_not_take_for_long_is_held_up_to_a_bound(pipeline: Pipeline) -> None:
    teller = KeyTeller(pipeline)
    pipeline.is_full = True
    teller.note([ONE] * MOST_UNTOLD_KEYS)
    teller.note([TWO])
    pipeline.is_full = False
    await pipeline.until(lambda: len(pipeline.told) == 1)
    assert len(pipeline.told[0]) == MOST_UNTOLD_KEYS * 32
    assert pipeline.told[0].endswith(ONE + TWO)


async def test_the_end_waits_for_what_is_on_its_way_tells_the_rest_and_nothing_afterwards(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    teller = KeyTeller(pipeline)
    teller.note([ONE])
    await pipeline.until(lambda: pipeline.told == [ONE])
    monkeypatch.setattr(redis_key_teller, "UNTOLD_SECONDS", 60)
    teller.note([TWO])
    ending = asyncio.create_task(teller.close())
    await asyncio.sleep(0)
    assert not ending.done()
    pipeline.answers[0].set_result(1)
    await pipeline.until(lambda: pipeline.told == [ONE, TWO])
    assert not ending.done()
    pipeline.answers[1].set_result(ConnectionError("gone"))
    await ending
    teller.note([THREE] * MANY_KEYS)
    assert (pipeline.told, teller._timer) == ([ONE, TWO], None)
