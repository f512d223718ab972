"""
Which keys Redis holds answers under: a scan, and a channel on which every replica tells what it stores.

Whoever watches subscribes before it scans, and whoever stores publishes after it stored; so an answer that no scan
found is told. A channel that was silent for a while is asked whether it still carries anything: a subscription that
is gone without a word, or may not be published to, would pass for one on which nothing happens.
"""

from __future__ import annotations

import asyncio
from binascii import unhexlify
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tollway_cache.domain.lookup import KEY_BYTES
from tollway_cache.domain.ports import KeyNews, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence

    from redis.asyncio import ConnectionPool
    from redis.asyncio.client import PubSub

    from tollway_cache.adapters.redis_pipeline import RedisPipeline

CHANNEL = b"tollway:stored-keys"
QUIET_SECONDS = 5.0
"""After which the channel is asked, and within which it must answer, as must every command."""
UNTOLD_SECONDS = 0.25
"""For which answers are stored before other replicas are told: a prompt that comes there meanwhile is asked again."""
MOST_UNTOLD_KEYS = 4096
_PAGE = 500
_PATTERN = b"tollway:{*}:exact:*"
_PROBE = b""
_PUBLISH = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n" % (len(CHANNEL), CHANNEL) + b"$%d\r\n%b\r\n"


class KeyTeller:
    """
    Tells all replicas of what this one has stored: of many answers in one message, since each is one for every replica.

    Args:
        pipeline: The one that stores them.
    """

    def __init__(self, pipeline: RedisPipeline) -> None:
        self._pipeline = pipeline
        self._untold: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def note(self, exact_keys: Iterable[bytes]) -> None:
        self._untold.extend(exact_keys)
        if len(self._untold) >= MOST_UNTOLD_KEYS:
            self.tell()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(UNTOLD_SECONDS, self.tell)

    def tell(self) -> None:
        # who watches sees for itself whether it hears what is said, so nobody waits for the answer
        with suppress(StoreUnavailable):
            self._told()

    async def close(self) -> None:
        """Tell the last ones."""
        with suppress(StoreUnavailable):
            if self._untold:
                await self._told()

    def _told(self) -> asyncio.Future[object]:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        keys, self._untold = b"".join(self._untold), []
        return self._pipeline.ask(_PUBLISH % (len(keys), keys))


async def watch_keys(pool: ConnectionPool, quiet_seconds: float = QUIET_SECONDS) -> AsyncGenerator[KeyNews, None]:
    """Do as `AnswerStore.watch_keys` does; the pool must not try again by itself what broke."""
    client = Redis(connection_pool=pool)
    try:
        async with client.pubsub() as channel:
            news = _News(client, channel, quiet_seconds)
            await news.begin()
            async with asyncio.timeout(quiet_seconds):
                expected = await client.dbsize()
            yield KeyNews(expected_keys=expected)
            names: Any  # bytes, since the pool decodes nothing
            cursor, is_whole = 0, False
            while not is_whole:
                async with asyncio.timeout(quiet_seconds):
                    cursor, names = await client.scan(cursor, match=_PATTERN, count=_PAGE)
                is_whole = not cursor
                yield KeyNews(_keys_in(names), is_whole)
            while True:
                yield KeyNews(await news.next())
    except (RedisError, OSError) as error:  # TimeoutError is an OSError
        message = f"Redis does not tell its keys ({type(error).__name__}); it must allow SCAN, DBSIZE and {CHANNEL!r}"
        raise StoreUnavailable(message) from error


class _News:
    """What is heard on the channel."""

    def __init__(self, client: Redis, channel: PubSub, quiet_seconds: float) -> None:
        self._client = client
        self._channel = channel
        self._seconds = quiet_seconds

    async def begin(self) -> None:
        """Subscribe, and see that what is published is heard."""
        async with asyncio.timeout(self._seconds):
            await self._channel.subscribe(CHANNEL)
            await self._channel.get_message(timeout=None)
            await self._client.publish(CHANNEL, _PROBE)
            while await self._hear(None) != _PROBE:
                pass  # news of what the scan will find

    async def next(self) -> list[bytes]:
        """Return the keys that somebody tells next."""
        while True:
            heard = await self._hear(self._seconds)
            if heard is None:
                async with asyncio.timeout(self._seconds):
                    await self._client.publish(CHANNEL, _PROBE)
                    heard = await self._hear(None)
            if heard:
                return [heard[start : start + KEY_BYTES] for start in range(0, len(heard), KEY_BYTES)]

    async def _hear(self, seconds: float | None) -> bytes | None:
        message = await self._channel.get_message(timeout=seconds)
        if message is None:
            return None
        if message["type"] != "message":  # it was subscribed anew, and what was said meanwhile is lost
            raise RedisError("the subscription broke off")
        return bytes(message["data"])


def _keys_in(names: Sequence[bytes]) -> list[bytes]:
    return [unhexlify(name[-2 * KEY_BYTES :]) for name in names if _is_ours(name)]


def _is_ours(name: bytes) -> bool:
    digits = name.rpartition(b":")[2]
    return len(digits) == 2 * KEY_BYTES and not digits.translate(None, b"0123456789abcdef")
