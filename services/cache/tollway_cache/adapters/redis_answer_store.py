"""Answers in Redis, shared by all replicas; one round trip a lookup and one a batch of answers."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import msgspec
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from tollway_dialects.dialect import Dialect
from tollway_dialects.usage import Usage

from tollway_cache.adapters.joined_reads import JoinedReads
from tollway_cache.adapters.redis_lines import RedisLines, packed
from tollway_cache.domain.answer import Answer
from tollway_cache.domain.ports import AnswerUnreadable, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tollway_cache.domain.answer import Entry

# a lookup must be given up before its caller gives up, or a silent Redis is never noticed
GET_SECONDS = 0.3
PUT_SECONDS = 2.0
REST_SECONDS = 1.0
# one slow answer is a hiccup; so many in a row are a server that hangs
SLOW_BEFORE_REST = 3
MAX_CONNECTIONS = 64
MOST_PARTITIONS = 1024


class StoredAnswer(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """An answer as Redis holds it; a change of shape takes the next tag, so that older values become misses."""

    partition: str
    exact_key: bytes
    dialect: Dialect
    provider: str
    model: str
    tier: str
    usage: tuple[int, int, int, int, int, int, bool]
    cost_micro_usd: int
    body: bytes
    is_event_stream: bool


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(StoredAnswer).decode


class RedisAnswerStore:
    """Keeps away from a Redis that failed for a moment, so that an outage costs callers no time."""

    def __init__(self, pool: ConnectionPool, get_seconds: float = GET_SECONDS) -> None:
        self._lines = RedisLines(pool, MAX_CONNECTIONS)
        self._get_seconds = get_seconds
        self._rests_until = 0.0
        self._slow_in_a_row = 0
        self._reads: dict[str, JoinedReads] = {}

    @classmethod
    def from_url(cls, url: str, get_seconds: float = GET_SECONDS) -> RedisAnswerStore:
        """Connect on first use; a malformed URL is a ValueError."""
        pool = ConnectionPool.from_url(
            url,
            socket_timeout=None,  # `_limited` bounds every command; a second clock costs a task for each send
            socket_connect_timeout=get_seconds,
            retry=Retry(NoBackoff(), 0),
        )
        return cls(pool, get_seconds)

    async def close(self) -> None:
        await self._lines.close()

    async def get(self, partition: str, exact_key: bytes) -> Answer | None:
        reads = self._reads.get(partition)
        if reads is None:
            self._forget_idle()
            reads = self._reads[partition] = JoinedReads(self._fetch)
        value = await reads.read(_key(partition, exact_key))
        if value is None:
            return None
        try:
            stored = _decode(value)
        except msgspec.DecodeError as error:
            # the error's own text could quote the value
            raise AnswerUnreadable(f"it is no answer of this version ({len(value)} bytes)") from error
        return _to_answer(stored)

    async def put(self, entries: Sequence[Entry]) -> int:
        # no transaction: entries are independent, and in a Cluster they live on different nodes
        async with self._limited(PUT_SECONDS):
            await self._lines.ask([_set(entry) for entry in entries])
        return len(entries)

    async def _fetch(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        async with self._limited(self._get_seconds):
            (values,) = await self._lines.ask([packed("MGET", *keys)])
            return cast("Sequence[bytes | None]", values)

    def _forget_idle(self) -> None:
        """Keep no entry for every workspace that ever asked."""
        if len(self._reads) >= MOST_PARTITIONS:
            self._reads = {name: reads for name, reads in self._reads.items() if not reads.is_idle}

    @asynccontextmanager
    async def _limited(self, seconds: float) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        if loop.time() < self._rests_until:
            raise StoreUnavailable("Redis failed a moment ago and is left alone")
        try:
            async with asyncio.timeout(seconds):
                yield
            self._slow_in_a_row = 0
        except (RedisError, OSError) as error:
            if self._earns_rest(error):
                self._rests_until = loop.time() + REST_SECONDS
            raise StoreUnavailable(f"Redis: {type(error).__name__}; check CACHE_REDIS_URL and its server") from error

    def _earns_rest(self, error: Exception) -> bool:
        """Say whether the server is away or hangs; one that answers with an error (full, wrong type) is there."""
        if isinstance(error, (TimeoutError, RedisTimeoutError)):
            self._slow_in_a_row += 1
            return self._slow_in_a_row >= SLOW_BEFORE_REST
        return isinstance(error, (RedisConnectionError, OSError))


def _key(partition: str, exact_key: bytes) -> str:
    # the braces are a Cluster hash tag: a workspace's answers share a slot
    return f"tollway:{{{partition}}}:exact:{exact_key.hex()}"


def _set(entry: Entry) -> bytes:
    name = _key(entry.answer.partition, entry.answer.exact_key)
    return packed("SET", name, _encode(_to_stored(entry.answer)), "EX", entry.ttl_seconds)


def _to_stored(answer: Answer) -> StoredAnswer:
    return StoredAnswer(
        partition=answer.partition,
        exact_key=answer.exact_key,
        dialect=answer.dialect,
        provider=answer.provider,
        model=answer.model,
        tier=answer.tier,
        usage=msgspec.structs.astuple(answer.usage),
        cost_micro_usd=answer.cost_micro_usd,
        body=answer.body,
        is_event_stream=answer.is_event_stream,
    )


def _to_answer(stored: StoredAnswer) -> Answer:
    return Answer(
        partition=stored.partition,
        exact_key=stored.exact_key,
        dialect=stored.dialect,
        provider=stored.provider,
        model=stored.model,
        tier=stored.tier,
        usage=Usage(*stored.usage),
        cost_micro_usd=stored.cost_micro_usd,
        body=stored.body,
        is_event_stream=stored.is_event_stream,
    )
