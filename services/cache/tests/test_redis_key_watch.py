"""Watching the keys of a real Redis: what is heard of other replicas, and how a watch ends that may miss something."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from redis.asyncio import ConnectionPool, Redis
from tollway_cache.adapters.redis_answer_store import RedisAnswerStore
from tollway_cache.adapters.redis_key_teller import CHANNEL
from tollway_cache.adapters.redis_key_watch import watch_keys
from tollway_cache.domain.ports import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from tollway_cache.domain.ports import KeyNews


@asynccontextmanager
async def watching(
    url: str, quiet_seconds: float = 5, answer_seconds: float = 5
) -> AsyncIterator[AsyncGenerator[KeyNews, None]]:
    """Yield a watch that has told all that was there."""
    pool = ConnectionPool.from_url(url)
    try:
        async with aclosing(watch_keys(pool, quiet_seconds, answer_seconds)) as watch:
            while not (await anext(watch)).is_whole:
                pass
            yield watch
    finally:  # uvloop waits for what is left open
        await pool.disconnect()


@pytest.fixture
async def client(mortal_redis: Any) -> AsyncIterator[Redis]:
    async with Redis.from_url(mortal_redis.url) as client:
        yield client


async def test_what_one_replica_stores_the_others_hear_in_few_messages(
    mortal_redis: Any, open_store: Any, entry: Any, key: Any
) -> None:
    async with watching(mortal_redis.url) as watch:
        replicas = [open_store(mortal_redis.url) for _ in range(2)]
        for number in range(100):
            await replicas[number % 2].put([entry(number=number)])
        told, messages = set(), 0
        async with asyncio.timeout(10):
            while len(told) < 100:
                told.update((await anext(watch)).exact_keys)
                messages += 1
        assert told == {key(number) for number in range(100)}
        assert messages < 20


async def test_what_is_stored_by_a_call_that_was_given_up_is_told(
    mortal_redis: Any, open_store: Any, entry: Any, key: Any
) -> None:
    async with watching(mortal_redis.url) as watch:
        replica = open_store(mortal_redis.url)
        await replica.put([entry(number=1)])
        putting = asyncio.create_task(replica.put([entry(number=2)]))
        await asyncio.sleep(0)
        putting.cancel()
        told: set[bytes] = set()
        async with asyncio.timeout(10):
            while len(told) < 2:
                told.update((await anext(watch)).exact_keys)
        assert told == {key(1), key(2)}


async def test_a_replica_that_ends_tells_its_last_answers_first(
    mortal_redis: Any, open_store: Any, entry: Any, key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tollway_cache.adapters.redis_key_teller.UNTOLD_SECONDS", 60)
    async with watching(mortal_redis.url) as watch:
        replica = open_store(mortal_redis.url)
        await replica.put([entry(number=1)])
        await replica.close()
        async with asyncio.timeout(10):
            assert (await anext(watch)).exact_keys == [key(1)]


async def test_names_of_others_are_no_keys_of_ours(
    mortal_redis: Any, client: Redis, open_store: Any, entry: Any, key: Any
) -> None:
    for name in (
        "a",
        "tollway:{x}:exact:",
        "tollway:{x}:exact:00ff",
        f"tollway:{{x}}:exact:{'g' * 64}",
        "other:exact:1",
    ):
        await client.set(name, "1")
    await open_store(mortal_redis.url).put([entry("acme}:exact:", number=7)])
    told: list[bytes] = []
    async with aclosing(open_store(mortal_redis.url).watch_keys()) as watch:
        while True:
            news = await anext(watch)
            told += news.exact_keys
            if news.is_whole:
                break
    assert told == [key(7)]


async def test_a_channel_on_which_nothing_happens_is_watched_on(
    mortal_redis: Any, client: Redis, open_store: Any, entry: Any, key: Any
) -> None:
    async with watching(mortal_redis.url, quiet_seconds=0.05) as watch:
        coming = asyncio.ensure_future(anext(watch))
        async with client.pubsub() as probes, asyncio.timeout(10):
            await probes.subscribe(CHANNEL)
            heard = 0
            while heard < 3:  # it was asked so often whether it is still there
                message = await probes.get_message(ignore_subscribe_messages=True, timeout=1)
                heard += message is not None and message["data"] == b""
            assert not coming.done()
            await open_store(mortal_redis.url).put([entry(number=1)])
            assert (await coming).exact_keys == [key(1)]


@pytest.mark.parametrize("ending", ["killed", "cut", "hanging"])
async def test_a_watch_that_may_miss_something_ends(mortal_redis: Any, client: Redis, ending: str) -> None:
    async with watching(mortal_redis.url, quiet_seconds=0.3, answer_seconds=2) as watch:
        if ending == "killed":
            mortal_redis.stop()
        elif ending == "cut":
            await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        else:
            await client.execute_command("CLIENT", "PAUSE", 60_000, "ALL")
        async with asyncio.timeout(10):
            with pytest.raises(StoreUnavailable, match="does not tell its keys"):
                await anext(watch)


@pytest.mark.parametrize(
    "rules", ["~* +@all resetchannels", "~* +@all -publish allchannels", "~* +@all -scan allchannels"]
)
async def test_a_redis_that_forbids_it_tells_nothing(mortal_redis: Any, client: Redis, rules: str) -> None:
    await client.execute_command("ACL", "SETUSER", "limited", "on", ">secret", *rules.split())
    pool = ConnectionPool.from_url(mortal_redis.url, username="limited", password="secret")
    async with aclosing(watch_keys(pool)) as watch, asyncio.timeout(10):
        with pytest.raises(StoreUnavailable, match=r"NoPermissionError\): allow SCAN"):
            [news async for news in watch]
    await pool.disconnect()


async def test_a_server_that_never_says_a_word_ends_it_in_time(silent_server: str) -> None:
    pool = ConnectionPool.from_url(silent_server, socket_timeout=None)
    async with aclosing(watch_keys(pool, 0.2, 0.2)) as watch, asyncio.timeout(10):
        with pytest.raises(StoreUnavailable):
            await anext(watch)


class Proxy:
    """Carries connections to a Redis, until it cuts them all and says nothing to new ones."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._writers: list[asyncio.StreamWriter] = []
        self._is_silent = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        if self._is_silent:
            return
        there, back = await asyncio.open_unix_connection(self._socket)
        self._writers.append(back)
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)

    def fall_silent(self) -> None:
        self._is_silent = True
        self.cut()

    def cut(self) -> None:
        for writer in self._writers:
            writer.close()
        self._writers.clear()


async def test_a_server_that_hangs_when_its_connection_is_opened_anew_ends_the_watch(mortal_redis: Any) -> None:
    proxy = Proxy(mortal_redis.socket)
    server = await asyncio.start_server(proxy.carry, "127.0.0.1", 0)
    # the store's own settings, with no limit on what redis-py reads
    store = RedisAnswerStore.from_url(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    async with aclosing(watch_keys(store._pool, 0.5, 2)) as watch, asyncio.timeout(20):
        while not (await anext(watch)).is_whole:
            pass
        proxy.fall_silent()
        with pytest.raises(StoreUnavailable):
            await anext(watch)
    await store.close()
    proxy.cut()
    server.close()


async def test_keys_are_told_whatever_the_url_asks_of_answers(
    mortal_redis: Any, open_store: Any, entry: Any, key: Any
) -> None:
    for query in ("decode_responses=True", "protocol=2", "protocol=3"):
        store = open_store(f"{mortal_redis.url}?{query}")
        async with aclosing(store.watch_keys()) as watch, asyncio.timeout(10):
            while not (await anext(watch)).is_whole:
                pass
            await store.put([entry(number=1)])
            assert (await anext(watch)).exact_keys == [key(1)]
        assert await store.get("acme", key(1)) == entry(number=1).packed
