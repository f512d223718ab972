"""Answers in Redis, shared by all replicas; one round trip a lookup and one a batch of answers."""

from __future__ import annotations

import asyncio
from binascii import hexlify
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn

from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from tollway_cache.adapters.redis_key_teller import KeyTeller
from tollway_cache.adapters.redis_key_watch import watch_keys
from tollway_cache.adapters.redis_pipeline import RedisPipeline
from tollway_cache.domain.ports import AnswerUnreadable, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from tollway_cache.domain.answer import Entry
    from tollway_cache.domain.ports import KeyNews

# a lookup must be given up before its caller gives up, or a silent Redis is never noticed
GET_SECONDS = 0.3
PUT_SECONDS = 2.0
REST_SECONDS = 1.0
# one slow answer is a hiccup; so many in a row are a server that hangs
SLOW_BEFORE_REST = 3

MOST_KEPT = 256
"""Beginnings and ends of commands that are kept as they were made."""


class RedisAnswerStore:
    """Keeps away from a Redis that failed for a moment, so that an outage costs callers no time."""

    def __init__(self, pool: ConnectionPool, get_seconds: float = GET_SECONDS) -> None:
        self._pool = pool
        self._lookups = RedisPipeline(pool, get_seconds)
        # of their own: a large answer on its way in delays no lookup
        self._writes = RedisPipeline(pool, PUT_SECONDS)
        self._teller = KeyTeller(self._writes)
        self._rests_until = 0.0
        self._slow_in_a_row = 0
        self._last_slow: object = None

    @classmethod
    def from_url(cls, url: str, get_seconds: float = GET_SECONDS) -> RedisAnswerStore:
        """Connect on first use; a malformed URL is a ValueError."""
        pool = ConnectionPool.from_url(
            url,
            socket_timeout=None,  # the pipeline bounds every command; a second clock costs a task for each send
            socket_connect_timeout=get_seconds,
            retry=Retry(NoBackoff(), 0),
        )
        pool.connection_kwargs["decode_responses"] = False  # answers are bytes, whatever the URL says
        return cls(pool, get_seconds)

    async def close(self) -> None:
        await self._teller.close()
        await self._lookups.close()
        await self._writes.close()
        await self._pool.disconnect()

    async def get(self, partition: str, exact_key: bytes) -> bytes | None:
        if self._rests_until:
            self._check_rest()
        value = await self._lookups.ask(_get(partition, exact_key))
        if value is not None and not isinstance(value, bytes):
            self._refuse(value)
        self._slow_in_a_row = 0
        return value

    async def get_all(self, partition: str, exact_keys: Sequence[bytes]) -> list[bytes | None]:
        if self._rests_until:
            self._check_rest()
        values = await self._lookups.ask(_get_all(partition, exact_keys))
        if not isinstance(values, list) or len(values) != len(exact_keys):
            self._refuse(values)
        self._slow_in_a_row = 0
        return values

    async def put(self, entries: Sequence[Entry]) -> int:
        if self._rests_until:
            self._check_rest()
        if not entries:
            return 0
        # no transaction: entries are independent, and in a Cluster they live on different nodes
        asked = self._writes.ask(b"".join(map(_set, entries)), len(entries))
        try:
            answer = await asked
        finally:  # what was given up may be stored all the same
            self._teller.note(entry.exact_key for entry in entries)
        if answer != b"OK":
            self._refuse(answer)
        self._slow_in_a_row = 0
        return len(entries)

    def watch_keys(self) -> AsyncGenerator[KeyNews, None]:
        return watch_keys(self._pool)

    def _check_rest(self) -> None:
        if asyncio.get_running_loop().time() < self._rests_until:
            raise StoreUnavailable("Redis failed a moment ago and is left alone")
        self._rests_until = 0.0

    def _refuse(self, answer: object) -> NoReturn:
        """Raise what an answer means that is none."""
        cause = answer if isinstance(answer, Exception) else None
        if str(answer).startswith("WRONGTYPE"):
            raise AnswerUnreadable("it is no string") from cause
        if self._earns_rest(answer):
            self._rests_until = asyncio.get_running_loop().time() + REST_SECONDS
        raise StoreUnavailable(f"Redis: {type(answer).__name__}; check CACHE_REDIS_URL and its server") from cause

    def _earns_rest(self, answer: object) -> bool:
        """Say whether the server is away or hangs; one that answers with an error (full, not allowed) is there."""
        if isinstance(answer, (TimeoutError, RedisTimeoutError)):
            if answer is not self._last_slow:  # it is one for all that waited for the same connection
                self._last_slow = answer
                self._slow_in_a_row += 1
            return self._slow_in_a_row >= SLOW_BEFORE_REST
        return isinstance(answer, (RedisConnectionError, OSError))


# as redis-py packs any command, for those that every call sends; what many have in common is made once


@lru_cache(MOST_KEPT)
def _opening(command: bytes, partition: str, key_bytes: int) -> bytes:
    """Return what goes before the hexadecimal digits of an exact key of so many bytes."""
    # the braces are a Cluster hash tag: a workspace's answers share a slot
    beginning = f"tollway:{{{partition}}}:exact:".encode()
    return b"%b\r\n$%d\r\n%b" % (command, len(beginning) + 2 * key_bytes, beginning)


@lru_cache(MOST_KEPT)
def _expiry(seconds: int) -> bytes:
    """Return what goes after a value."""
    ttl = b"%d" % seconds
    return b"\r\n$2\r\nEX\r\n$%d\r\n%b\r\n" % (len(ttl), ttl)


def _get(partition: str, exact_key: bytes) -> bytes:
    return b"%b%b\r\n" % (_opening(b"*2\r\n$3\r\nGET", partition, len(exact_key)), hexlify(exact_key))


def _set(entry: Entry) -> bytes:
    key, value = entry.exact_key, entry.packed
    opening = _opening(b"*5\r\n$3\r\nSET", entry.partition, len(key))
    return b"%b%b\r\n$%d\r\n%b%b" % (opening, hexlify(key), len(value), value, _expiry(entry.ttl_seconds))


def _get_all(partition: str, exact_keys: Sequence[bytes]) -> bytes:
    """Return one command, so one answer, for keys that are all as long as the first."""
    opening = _opening(b"", partition, len(exact_keys[0]))
    keys = [opening + hexlify(exact_key) for exact_key in exact_keys]
    return b"*%d\r\n$4\r\nMGET%b\r\n" % (len(keys) + 1, b"".join(keys))
