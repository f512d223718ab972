"""What every AnswerStore promises, over each backend."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from redis.asyncio import Redis
from tollway_cache.adapters.memory_answer_store import MemoryAnswerStore
from tollway_cache.adapters.redis_answer_store import RedisAnswerStore
from tollway_dialects.dialect import Dialect
from tollway_dialects.stored_answer import unpack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


@dataclass
class Backend:
    store: Any
    advance: Callable[[int], Awaitable[None]]
    """Lets seconds pass for what is stored."""


@pytest.fixture(params=["memory", "redis"])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    if request.param == "memory":
        now = [1_000.0]

        async def pass_on_clock(seconds: int) -> None:
            now[0] += seconds

        yield Backend(MemoryAnswerStore(10_000_000, lambda: now[0]), pass_on_clock)
        return
    url = request.getfixturevalue("redis_process").url
    store, client = RedisAnswerStore.from_url(url, get_seconds=10), Redis.from_url(url)
    await client.flushall()

    async def pass_on_server(seconds: int) -> None:
        async for name in client.scan_iter():
            await client.pexpire(name, await client.pttl(name) - seconds * 1_000)

    yield Backend(store, pass_on_server)
    await store.close()
    await client.aclose()


async def test_what_was_put_is_found_whole(backend: Backend, entry: Any, key: Any) -> None:
    body = bytes(range(256)) * 4
    kept = entry(body=body, dialect=Dialect.OPENAI_CHAT)
    assert await backend.store.put([kept]) == 1
    assert await backend.store.get("acme", key(1)) == kept.packed


async def test_nothing_to_put_disturbs_no_lookup(backend: Backend, entry: Any, key: Any) -> None:
    await backend.store.put([entry()])
    assert await backend.store.put([]) == 0
    assert await backend.store.get("acme", key(1)) == entry().packed


async def test_several_are_found_at_once_each_in_its_place(backend: Backend, entry: Any, key: Any) -> None:
    kept = [entry(number=number, body=b"%d" % number) for number in (1, 3)]
    await backend.store.put(kept)
    found = await backend.store.get_all("acme", [key(number) for number in (0, 1, 2, 3, 1)])
    assert found == [None, kept[0].packed, None, kept[1].packed, kept[0].packed]
    assert await backend.store.get_all("globex", [key(1), key(3)]) == [None, None]


async def test_an_unknown_key_finds_nothing(backend: Backend, key: Any) -> None:
    assert await backend.store.get("acme", key(9)) is None


@pytest.mark.parametrize("stranger", ["globex", "acm", "acme}", "{acme}", "acme}:exact:", "ACME", "acme\n"])
async def test_another_partition_never_finds_the_answer(backend: Backend, entry: Any, key: Any, stranger: str) -> None:
    await backend.store.put([entry("acme")])
    assert await backend.store.get(stranger, key(1)) is None


async def test_the_same_key_in_two_partitions_holds_two_answers(backend: Backend, entry: Any, key: Any) -> None:
    await backend.store.put([entry("acme", body=b"a"), entry("globex", body=b"b")])
    assert unpack(await backend.store.get("acme", key(1))).body == b"a"
    assert unpack(await backend.store.get("globex", key(1))).body == b"b"


async def test_the_later_writer_wins(backend: Backend, entry: Any, key: Any) -> None:
    await backend.store.put([entry(body=b"first")])
    await backend.store.put([entry(body=b"second"), entry(body=b"third")])
    assert unpack(await backend.store.get("acme", key(1))).body == b"third"


async def test_an_answer_lives_as_long_as_its_lifetime_and_no_longer(backend: Backend, entry: Any, key: Any) -> None:
    await backend.store.put([entry(number=1, ttl_seconds=60), entry(number=2, ttl_seconds=600)])
    await backend.advance(59)
    assert await backend.store.get("acme", key(1)) is not None
    await backend.advance(1)
    assert await backend.store.get("acme", key(1)) is None
    assert await backend.store.get("acme", key(2)) is not None


async def test_a_later_write_takes_its_own_lifetime(backend: Backend, entry: Any, key: Any) -> None:
    await backend.store.put([entry(ttl_seconds=600)])
    await backend.store.put([entry(ttl_seconds=60)])
    await backend.advance(60)
    assert await backend.store.get("acme", key(1)) is None


async def test_a_large_body_comes_back_unchanged(backend: Backend, entry: Any, key: Any) -> None:
    body = b"x" * 5_000_000
    await backend.store.put([entry(body=body)])
    assert unpack(await backend.store.get("acme", key(1))).body == body


async def test_concurrent_readers_and_writers_never_get_each_others_answers(
    backend: Backend, entry: Any, key: Any
) -> None:
    async def write_and_read(number: int) -> bytes:
        await backend.store.put([entry(number=number, body=b"%d" % number)])
        return unpack(await backend.store.get("acme", key(number))).body

    bodies = await asyncio.gather(*map(write_and_read, range(200)))
    assert bodies == [b"%d" % number for number in range(200)]


async def test_readers_that_leave_in_the_middle_disturb_nobody(backend: Backend, entry: Any, key: Any) -> None:
    await backend.store.put([entry(number=number, body=b"%d" % number) for number in range(100)])

    async def read(number: int) -> bytes:
        return unpack(await backend.store.get("acme", key(number))).body

    for turns in range(12):
        leaving = [asyncio.create_task(read(number)) for number in range(100)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        assert await asyncio.gather(*map(read, range(100))) == [b"%d" % number for number in range(100)]


async def _told(watch: Any, awaited: set[bytes]) -> set[bytes]:
    """Return what a watch tells, until all that is awaited was told; some is told twice."""
    keys: set[bytes] = set()
    async with asyncio.timeout(10):
        while not awaited <= keys:
            keys.update((await anext(watch)).exact_keys)
    return keys


async def test_who_watches_is_told_of_all_that_is_kept_and_then_of_what_anybody_puts(
    backend: Backend, entry: Any, key: Any
) -> None:
    await backend.store.put([entry(number=number) for number in range(1200)])
    await backend.store.put([entry("globex", number=2000)])
    kept = {key(number) for number in (*range(1200), 2000)}
    async with aclosing(backend.store.watch_keys()) as watch, aclosing(backend.store.watch_keys()) as other:
        for each in (watch, other):
            told, news = [], await anext(each)
            assert news.expected_keys == 1201
            while not news.is_whole:
                news = await anext(each)
                told += news.exact_keys
            assert set(told) == kept
        await backend.store.put([entry(number=3000), entry("globex", number=3001)])
        for each in (watch, other):
            assert await _told(each, {key(3000), key(3001)}) <= {*kept, key(3000), key(3001)}


async def test_a_watch_that_begins_while_others_put_misses_nothing(backend: Backend, entry: Any, key: Any) -> None:
    everything = {key(number) for number in range(200)}

    async def put(number: int) -> None:
        for each in range(20):
            await backend.store.put([entry(number=number * 20 + each)])
            await asyncio.sleep(0)

    async def watch() -> set[bytes]:
        async with aclosing(backend.store.watch_keys()) as watch:
            return await _told(watch, everything)

    watching = [asyncio.create_task(watch())]
    async with asyncio.TaskGroup() as group:
        for number in range(10):
            group.create_task(put(number))
            await asyncio.sleep(0.001 * number)
            watching.append(asyncio.create_task(watch()))
    for told in await asyncio.gather(*watching):
        assert told == everything
