"""What servers do wrong, and what becomes of those who wait for them: nonsense, silence, no reading."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tollway_cache.adapters.redis_pipeline import MOST_WAITING_BYTES
from tollway_cache.domain.ports import StoreUnavailable

if TYPE_CHECKING:
    from asyncio import StreamWriter

NIL = b"_\r\n"


async def find_nothing(writer: StreamWriter, commands: Any) -> None:
    writer.write(NIL * len(commands))


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x00\xff" * 1000,
        b"$-7\r\n",
        b"$99999999999999999999\r\n",
        b"-MOVED nowhere\r\n",
        b"-\xff\xfe\r\n" + NIL,
        b":7\r\n",
        b"*1\r\n$3\r\nabc\r\n",
        b"%1\r\n+a\r\n+b\r\n",
        None,
    ],
)
async def test_a_server_that_talks_nonsense_or_leaves_each_time_is_unavailable_and_asked_twice_at_most(
    scripted_redis: Any, open_store: Any, entry: Any, key: Any, said: bytes | None
) -> None:
    async def answer(writer: StreamWriter, commands: Any) -> None:
        writer.close() if said is None else writer.write(said)

    redis = await scripted_redis(answer)
    with pytest.raises(StoreUnavailable):
        await open_store(redis.url).get("acme", key(1))
    with pytest.raises(StoreUnavailable):
        await open_store(redis.url).put([entry()])
    assert 2 <= len(redis.reads) <= 4


async def test_an_answer_that_nobody_asked_for_is_taken_for_no_later_question(
    scripted_redis: Any, open_store: Any, key: Any
) -> None:
    async def answer(writer: StreamWriter, commands: Any) -> None:
        writer.write(NIL * len(commands) + (b"$5\r\nstray\r\n" if redis.connections == 1 else b""))

    redis = await scripted_redis(answer)
    store = open_store(redis.url)
    for number in range(3):
        assert await store.get("acme", key(number)) is None
    assert redis.connections == 2


async def test_an_answer_that_nobody_asked_for_is_not_taken_by_a_lookup_that_waits_to_be_sent(
    scripted_redis: Any, open_store: Any, key: Any
) -> None:
    may_answer = asyncio.Event()

    async def answer(writer: StreamWriter, commands: Any) -> None:
        await may_answer.wait()
        writer.write(NIL * len(commands) + (b"$5\r\nstray\r\n" if redis.connections == 1 else b""))

    redis = await scripted_redis(answer)
    store = open_store(redis.url)
    sent = asyncio.create_task(store.get("acme", key(1)))
    await redis.was_asked.wait()
    waiting = asyncio.create_task(store.get("acme", key(2)))
    await asyncio.sleep(0)
    may_answer.set()
    assert await asyncio.gather(sent, waiting) == [None, None]
    assert redis.connections == 2


async def test_a_server_that_says_more_than_its_greeting_is_unavailable(
    scripted_redis: Any, open_store: Any, key: Any
) -> None:
    redis = await scripted_redis(find_nothing)
    redis.greetings[b"HELLO"] += b"+OK\r\n" * 9
    redis.greetings[b"CLIENT"] = b""
    with pytest.raises(StoreUnavailable, match="ConnectionError"):
        await open_store(redis.url).get("acme", key(1))
    assert not redis.reads


async def test_a_server_that_does_not_answer_is_given_up_in_time_and_the_next_lookup_goes_elsewhere(
    scripted_redis: Any, open_store: Any, key: Any
) -> None:
    async def answer(writer: StreamWriter, commands: Any) -> None:
        if redis.connections > 1:
            await find_nothing(writer, commands)

    redis = await scripted_redis(answer)
    store = open_store(redis.url, get_seconds=0.3)
    loop = asyncio.get_running_loop()
    began = loop.time()
    outcomes = await asyncio.gather(*(store.get("acme", key(number)) for number in range(9)), return_exceptions=True)
    assert 0.2 < loop.time() - began < 3
    assert {str(outcome) for outcome in outcomes} == {"Redis: TimeoutError; check CACHE_REDIS_URL and its server"}
    # nine that waited for the same connection are one slow answer, and earn no rest
    assert await store.get("acme", key(1)) is None
    assert [len(commands) for commands in redis.reads] == [9, 1]


async def test_what_waits_for_a_server_that_does_not_read_is_bounded(
    silent_server: str, open_store: Any, entry: Any
) -> None:
    store = open_store(silent_server)
    waiting = [asyncio.create_task(store.put([entry(body=b"x" * (MOST_WAITING_BYTES // 2))])) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="does not keep up"):
        await waiting[2]
    for task in waiting:
        task.cancel()


async def test_what_was_answered_counts_against_no_bound(scripted_redis: Any, open_store: Any, entry: Any) -> None:
    async def answer(writer: StreamWriter, commands: Any) -> None:
        writer.write(b"+OK\r\n" * len(commands))

    store = open_store((await scripted_redis(answer)).url)
    for _ in range(4):
        assert await store.put([entry(body=b"x" * (MOST_WAITING_BYTES // 2))]) == 1


@pytest.mark.parametrize("is_connected", [False, True])
async def test_closing_the_store_leaves_nobody_waiting(
    scripted_redis: Any, silent_server: str, open_store: Any, entry: Any, key: Any, is_connected: bool
) -> None:
    both_asked = asyncio.Event()

    async def answer(writer: StreamWriter, commands: Any) -> None:
        if len(redis.reads) == 2:
            both_asked.set()

    redis = await scripted_redis(answer)
    store = open_store(redis.url if is_connected else silent_server)
    waiting = [asyncio.create_task(store.get("acme", key(1))), asyncio.create_task(store.put([entry()]))]
    await (both_asked.wait() if is_connected else asyncio.sleep(0))
    await store.close()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(outcome).split(";")[0] for outcome in outcomes] == ["Redis: RedisError"] * 2
    assert redis.connections == 2 * is_connected


async def test_what_a_server_has_not_read_is_thrown_away_with_its_connection(
    scripted_redis: Any, open_store: Any, entry: Any
) -> None:
    reads_on = asyncio.Event()

    async def answer(writer: StreamWriter, commands: Any) -> None:
        writer.write(b"+OK\r\n")
        await reads_on.wait()

    redis = await scripted_redis(answer)
    store = open_store(redis.url)
    assert await store.put([entry()]) == 1
    large = asyncio.create_task(store.put([entry(body=b"x" * MOST_WAITING_BYTES)]))
    for _ in range(3):
        await asyncio.sleep(0)
    await store.close()
    reads_on.set()
    with pytest.raises(StoreUnavailable):
        await large
    async with asyncio.timeout(10):
        await redis.was_left.wait()
    assert len(redis.reads) == 1
