"""What only the Redis store promises: broken values, outages, names that a Cluster can place."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot
from tollway_cache.adapters import redis_answer_store
from tollway_cache.adapters.redis_answer_store import RedisAnswerStore
from tollway_cache.domain.answer import Entry
from tollway_cache.domain.ports import AnswerUnreadable, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def client(redis_process: Any) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_process.url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
async def store(redis_process: Any) -> AsyncIterator[RedisAnswerStore]:
    # as long as a crowded machine may take: these tests are about answers, not about time
    store = RedisAnswerStore.from_url(redis_process.url, get_seconds=10)
    yield store
    await store.close()


async def test_answers_of_one_workspace_share_a_cluster_slot(client: Redis, store: Any, entry: Any, key: Any) -> None:
    await store.put([entry("acme", 1), entry("acme", 2)])
    names = sorted([name async for name in client.scan_iter()])
    assert names == [f"tollway:{{acme}}:exact:{key(number).hex()}".encode() for number in (1, 2)]
    assert len(set(map(key_slot, names))) == 1


async def test_workspaces_of_any_name_and_keys_of_any_length_are_kept_for_their_time(
    client: Redis, store: Any, entry: Any
) -> None:
    for partition, exact_key, seconds in (("acme", b"\r\n", 60), ("größte\r\n", bytes(40), 86_400), ("acme", b"", 9)):
        await store.put([Entry(partition, exact_key, b"an answer", seconds)])
        assert await store.get(partition, exact_key) == b"an answer"
        assert await store.get_all(partition, [exact_key]) == [b"an answer"]
        left = await client.ttl(f"tollway:{{{partition}}}:exact:{exact_key.hex()}")
        assert seconds - 5 < left <= seconds


async def test_a_batch_takes_one_round_trip(client: Redis, store: Any, entry: Any) -> None:
    async with client.monitor() as monitor:
        await store.put([entry(number=number) for number in range(20)])
        await client.ping()
        commands = []
        while not commands or commands[-1]["command"] != "PING":
            commands.append(await monitor.next_command())
    sets = [command for command in commands if command["command"].startswith("SET ")]
    assert len(sets) == 20
    assert not [command for command in commands if command["command"] in {"MULTI", "EXEC"}]


async def test_what_is_no_string_is_told_apart_and_among_others_nothing(
    client: Redis, store: Any, entry: Any, key: Any
) -> None:
    await store.put([entry(number=1)])
    await client.lpush(f"tollway:{{acme}}:exact:{key(2).hex()}", b"a list")
    with pytest.raises(AnswerUnreadable, match="no string"):
        await store.get("acme", key(2))
    found = await store.get_all("acme", [key(number) for number in range(3)])
    assert found == [None, entry(number=1).packed, None]


async def test_several_lookups_are_one_command(client: Redis, store: Any, key: Any) -> None:
    async with client.monitor() as monitor:
        await store.get_all("acme", [key(number) for number in range(20)])
        await client.ping()
        commands = [await monitor.next_command()]
        while commands[-1]["command"] != "PING":
            commands.append(await monitor.next_command())
    gets = [command["command"].split() for command in commands if "GET" in command["command"]]
    assert [len(words) for words in gets] == [21]


async def test_a_server_that_answers_with_an_error_is_asked_again_at_once(
    client: Redis, store: Any, entry: Any, key: Any
) -> None:
    await client.config_set("maxmemory", "1")
    with pytest.raises(StoreUnavailable, match="OutOfMemory"):
        await store.put([entry(number=2)])
    await client.config_set("maxmemory", "0")
    assert await store.put([entry(number=2)]) == 1
    assert await store.get("acme", key(2))


async def test_connections_that_the_server_closed_meanwhile_are_no_outage(
    client: Redis, store: Any, entry: Any, key: Any
) -> None:
    await store.put([entry()])
    assert await store.get("acme", key(1))
    assert await client.execute_command("CLIENT", "KILL", "SKIPME", "yes") == 2
    answers = await asyncio.gather(*(store.get("acme" if number == 0 else f"{number}", key(1)) for number in range(8)))
    assert [answer is not None for answer in answers] == [True] + [False] * 7
    assert await client.execute_command("CLIENT", "KILL", "SKIPME", "yes") == 1
    assert await store.put([entry(number=2)]) == 1


async def test_a_stopped_server_is_unavailable_and_found_again_after_a_rest(
    mortal_redis: Any, entry: Any, key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RedisAnswerStore.from_url(mortal_redis.url)
    await store.put([entry()])
    mortal_redis.stop()
    with pytest.raises(StoreUnavailable, match="ConnectionError"):
        await store.get("acme", key(1))
    with pytest.raises(StoreUnavailable, match="left alone"):
        await store.put([entry()])
    mortal_redis.start()
    monkeypatch.setattr(store, "_rests_until", 0.0)
    assert await store.put([entry()]) == 1
    assert await store.get("acme", key(1))
    await store.close()


@pytest.mark.parametrize(
    "ask", [lambda store, key: store.get("acme", key), lambda store, key: store.get_all("acme", [key])]
)
async def test_a_silent_server_costs_three_short_waits_and_then_none(silent_server: str, key: Any, ask: Any) -> None:
    store = RedisAnswerStore.from_url(silent_server)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="Timeout"):
            await ask(store, key(1))
    waited = loop.time() - began
    assert waited < 3 * redis_answer_store.GET_SECONDS + 1
    for _ in range(100):
        with pytest.raises(StoreUnavailable, match="left alone"):
            await ask(store, key(1))
    assert loop.time() - began - waited < 0.5
    await store.close()


async def test_an_error_never_tells_the_url_or_its_password(key: Any) -> None:
    store = RedisAnswerStore.from_url("redis://:secret@127.0.0.1:1/0")
    with pytest.raises(StoreUnavailable) as caught:
        await store.get("acme", key(1))
    assert "secret" not in str(caught.value)
    await store.close()
