"""What only the memory store promises: its bound."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest
from tollway_cache.adapters.memory_answer_store import MOST_UNTOLD_KEYS, OVERHEAD_BYTES, MemoryAnswerStore
from tollway_cache.domain.ports import StoreUnavailable

ROOM_FOR_THREE = 3 * (OVERHEAD_BYTES + 200)


def store_of(max_bytes: int) -> MemoryAnswerStore:
    return MemoryAnswerStore(max_bytes, lambda: 0.0)


async def test_a_full_store_forgets_the_answer_that_was_used_least_recently(entry: Any, key: Any) -> None:
    store = store_of(ROOM_FOR_THREE)
    await store.put([entry(number=number, body=b"x" * 100) for number in (1, 2, 3)])
    assert await store.get("acme", key(1))
    await store.put([entry(number=4, body=b"x" * 100)])
    assert await store.get("acme", key(2)) is None
    assert all([await store.get("acme", key(number)) for number in (1, 3, 4)])


async def test_the_store_never_takes_more_than_its_bound(entry: Any) -> None:
    store = store_of(ROOM_FOR_THREE)
    for number in range(50):
        await store.put([entry(number=number % 7, body=b"x" * (number * 37 % 400))])
        assert store.size_bytes <= ROOM_FOR_THREE


async def test_an_answer_larger_than_the_bound_is_not_kept_and_pushes_nothing_out(entry: Any, key: Any) -> None:
    store = store_of(ROOM_FOR_THREE)
    assert await store.put([entry(number=1), entry(number=2, body=b"x" * ROOM_FOR_THREE)]) == 1
    assert await store.get("acme", key(1))


async def test_replacing_an_answer_frees_the_room_of_the_old_one(entry: Any) -> None:
    store = store_of(ROOM_FOR_THREE)
    for _ in range(10):
        await store.put([entry(body=b"x" * 100)])
    assert store.size_bytes == OVERHEAD_BYTES + len(entry(body=b"x" * 100).packed)


async def test_a_watch_that_does_not_read_ends_before_it_holds_too_much(entry: Any) -> None:
    store = MemoryAnswerStore(1_000_000, lambda: 0.0)
    async with aclosing(store.watch_keys()) as watch:
        while not (await anext(watch)).is_whole:
            pass
        batch = [entry(number=number) for number in range(1000)]
        for _ in range(MOST_UNTOLD_KEYS // 1000 + 2):
            await store.put(batch)
        assert max(len(each._untold) for each in store._watches) <= MOST_UNTOLD_KEYS + 1000
        with pytest.raises(StoreUnavailable, match="too slow"):
            await anext(watch)
    assert not store._watches


async def test_a_watch_that_is_left_is_forgotten(entry: Any) -> None:
    store = MemoryAnswerStore(1_000_000, lambda: 0.0)
    async with aclosing(store.watch_keys()) as watch:
        while not (await anext(watch)).is_whole:
            pass
        assert len(store._watches) == 1
    assert not store._watches
    await store.put([entry()])
