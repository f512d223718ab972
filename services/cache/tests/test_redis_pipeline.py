"""How commands travel: together, in order, once more over a new connection, each answer to whom it is for."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from redis.asyncio import Redis
from tollway_cache.adapters.redis_line import MOST_TURNS
from tollway_cache.domain.ports import StoreUnavailable
from tollway_dialects.stored_answer import unpack

if TYPE_CHECKING:
    from asyncio import StreamWriter

NIL = b"_\r\n"


async def find_nothing(writer: StreamWriter, commands: Any) -> None:
    writer.write(NIL * len(commands))


async def test_lookups_of_one_moment_leave_together(scripted_redis: Any, open_store: Any, key: Any) -> None:
    redis = await scripted_redis(find_nothing)
    store = open_store(redis.url)
    await asyncio.gather(*(store.get("acme", key(number)) for number in range(50)))
    await asyncio.gather(*(store.get("acme", key(number)) for number in range(50)))
    assert [len(commands) for commands in redis.reads] == [50, 50]
    assert redis.connections == 1


async def test_lookups_that_come_while_others_are_on_their_way_leave_with_the_next_answer(
    scripted_redis: Any, open_store: Any, key: Any
) -> None:
    may_answer = asyncio.Event()

    async def answer(writer: StreamWriter, commands: Any) -> None:
        await may_answer.wait()
        await find_nothing(writer, commands)

    redis = await scripted_redis(answer)
    store = open_store(redis.url)
    lookups = [asyncio.create_task(store.get("acme", key(0)))]
    await redis.was_asked.wait()
    for number in range(1, 5):
        lookups.append(asyncio.create_task(store.get("acme", key(number))))
        await asyncio.sleep(0)
    may_answer.set()
    assert await asyncio.gather(*lookups) == [None] * 5
    assert [len(commands) for commands in redis.reads] == [1, 4]


async def test_lookups_of_turns_that_each_bring_more_leave_together_and_wait_for_few_turns(
    scripted_redis: Any, open_store: Any, key: Any
) -> None:
    redis = await scripted_redis(find_nothing)
    store = open_store(redis.url)
    await store.get("acme", key(0))
    lookups = [asyncio.create_task(store.get("acme", key(0)))]
    for number in range(2 * MOST_TURNS):
        lookups.append(asyncio.create_task(store.get("acme", key(number))))
        await asyncio.sleep(0)
    await asyncio.gather(*lookups)
    assert 2 < len(redis.reads[1]) <= MOST_TURNS + 2
    assert sum(map(len, redis.reads)) == 1 + len(lookups)


async def test_a_store_that_takes_its_time_delays_no_lookup(
    scripted_redis: Any, open_store: Any, entry: Any, key: Any
) -> None:
    async def answer(writer: StreamWriter, commands: Any) -> None:
        if commands[0][0] == b"GET":
            await find_nothing(writer, commands)

    redis = await scripted_redis(answer)
    store = open_store(redis.url)
    storing = asyncio.create_task(store.put([entry()]))
    await redis.was_asked.wait()
    assert await store.get("acme", key(1)) is None
    assert not storing.done()
    storing.cancel()


async def test_what_was_on_its_way_when_the_server_left_is_asked_once_more(
    scripted_redis: Any, open_store: Any, key: Any
) -> None:
    async def answer(writer: StreamWriter, commands: Any) -> None:
        if redis.connections == 1:
            writer.close()
        else:
            await find_nothing(writer, commands)

    redis = await scripted_redis(answer)
    store = open_store(redis.url)
    assert await asyncio.gather(*(store.get("acme", key(number)) for number in range(5))) == [None] * 5
    assert [len(commands) for commands in redis.reads] == [5, 5]


async def test_news_that_the_server_pushes_answer_nobody(scripted_redis: Any, open_store: Any, key: Any) -> None:
    async def answer(writer: StreamWriter, commands: Any) -> None:
        writer.write(b">2\r\n+invalidate\r\n*1\r\n+name\r\n" + NIL * len(commands))

    redis = await scripted_redis(answer)
    store = open_store(redis.url)
    assert await asyncio.gather(store.get("acme", key(1)), store.get("acme", key(2))) == [None, None]
    assert redis.connections == 1


async def test_one_refused_answer_of_a_batch_is_told_and_the_next_batch_gets_its_own_answers(
    scripted_redis: Any, open_store: Any, entry: Any
) -> None:
    said = iter([b"+OK\r\n-OOM full\r\n+OK\r\n", b"+OK\r\n+OK\r\n+OK\r\n"])

    async def answer(writer: StreamWriter, commands: Any) -> None:
        writer.write(next(said))

    store = open_store((await scripted_redis(answer)).url)
    entries = [entry(number=number) for number in range(3)]
    with pytest.raises(StoreUnavailable, match="OutOfMemory"):
        await store.put(entries)
    assert await store.put(entries) == 3


@pytest.mark.parametrize("seed", range(4))
async def test_answers_are_crossed_neither_by_crowds_nor_by_leaving_nor_by_broken_connections(
    redis_process: Any, open_store: Any, entry: Any, key: Any, seed: int
) -> None:
    store, chance, workspace = open_store(redis_process.url), random.Random(seed), f"workspace {seed}"
    bodies = [b"%d of %d " % (number, seed) * chance.randrange(1, 2_000) for number in range(40)]
    outcomes: Counter[str] = Counter()

    async def put() -> None:
        numbers = chance.sample(range(40), 6)
        await store.put([entry(workspace, number, body=bodies[number]) for number in numbers])

    async def get(turns: int) -> None:
        number = chance.randrange(40)
        lookup = asyncio.ensure_future(store.get(workspace, key(number)))
        for _ in range(turns):
            await asyncio.sleep(0)
        if turns:
            lookup.cancel()
        found = await lookup
        answer = found and unpack(found)
        assert answer is None or (answer.exact_key, answer.body) == (key(number), bodies[number])
        outcomes["served"] += 1

    async with Redis.from_url(redis_process.url) as client:
        for _ in range(12):
            crowd = [put() if chance.random() < 0.2 else get(chance.choice([0, 0, 0, 1, 2, 3])) for _ in range(100)]
            if chance.random() < 0.5:
                crowd.insert(50, client.execute_command("CLIENT", "KILL", "SKIPME", "yes"))
            for outcome in await asyncio.gather(*crowd, return_exceptions=True):
                # a connection that is closed while it opens is an outage
                assert not isinstance(outcome, Exception) or isinstance(outcome, StoreUnavailable), outcome
            store._rests_until = 0.0
    assert outcomes["served"] > 300
