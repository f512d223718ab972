"""
Under which keys Redis holds answers: a scan, and a channel on which every replica tells what it stores.

Whoever watches subscribes before it scans, and whoever stores publishes after it stored; so an answer that no scan
found is told. A channel that was quiet for a while is asked whether it still carries anything: a subscription that is
gone without a word would pass for one on which nothing happens.
"""

from __future__ import annotations

import asyncio
from binascii import unhexlify
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError

from tollway_cache.adapters.redis_key_teller import CHANNEL
from tollway_cache.domain.lookup import KEY_BYTES
from tollway_cache.domain.ports import KeyNews, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from redis.asyncio import ConnectionPool
    from redis.asyncio.client import PubSub

QUIET_SECONDS = 5.0
"""After which the channel is asked whether it carries anything."""
ANSWER_SECONDS = 5.0
"""Within which every command is answered, and what was published is heard."""
_PAGE = 500
_PATTERN = b"tollway:{*}:exact:*"
_PROBE = b""


async def watch_keys(
    pool: ConnectionPool, quiet_seconds: float = QUIET_SECONDS, answer_seconds: float = ANSWER_SECONDS
) -> AsyncGenerator[KeyNews, None]:
    """Do as `AnswerStore.watch_keys` does; the pool must not try again by itself what broke."""
    client = Redis(connection_pool=pool)
    try:
        async with client.pubsub(push_handler_func=_as_it_is) as channel:
            news = _News(client, channel, quiet_seconds, answer_seconds)
            await news.begin()
            async with asyncio.timeout(answer_seconds):
                expected = await client.dbsize()
            yield KeyNews(expected_keys=expected)
            names: Any  # bytes, since the pool decodes nothing
            cursor, is_whole = 0, False
            while not is_whole:
                async with asyncio.timeout(answer_seconds):
                    cursor, names = await client.scan(cursor, match=_PATTERN, count=_PAGE)
                is_whole = not cursor
                if (keys := _keys_in(names)) or is_whole:
                    yield KeyNews(keys, is_whole)
            while True:
                yield KeyNews(await news.next())
    except NoPermissionError as error:
        needed = f"SCAN, DBSIZE, and PUBLISH and SUBSCRIBE on {CHANNEL.decode()}"
        raise StoreUnavailable(f"Redis does not tell its keys (NoPermissionError): allow {needed}") from error
    except (RedisError, OSError) as error:  # TimeoutError is an OSError
        raise StoreUnavailable(f"Redis does not tell its keys ({type(error).__name__})") from error


class _News:
    """What is heard on the channel."""

    def __init__(self, client: Redis, channel: PubSub, quiet_seconds: float, answer_seconds: float) -> None:
        self._client = client
        self._channel = channel
        self._quiet_seconds = quiet_seconds
        self._answer_seconds = answer_seconds

    async def begin(self) -> None:
        """Subscribe, and see that what is published is heard."""
        async with asyncio.timeout(self._answer_seconds):
            await self._channel.subscribe(CHANNEL)
            await self._channel.get_message(timeout=self._answer_seconds)
            await self._client.publish(CHANNEL, _PROBE)
            while await self._hear(self._answer_seconds) != _PROBE:
                pass  # news of what the scan will find

    async def next(self) -> list[bytes]:
        """Return the keys that somebody tells next."""
        while True:
            heard = await self._hear(self._quiet_seconds)
            if heard is None:
                async with asyncio.timeout(self._answer_seconds):
                    await self._client.publish(CHANNEL, _PROBE)
                heard = await self._hear(self._answer_seconds)
                if heard is None:
                    raise TimeoutError
            if heard:
                return [heard[start : start + KEY_BYTES] for start in range(0, len(heard), KEY_BYTES)]

    async def _hear(self, seconds: float) -> bytes | None:
        """Return the next message; None where there is none for so long."""
        # redis-py connects anew before it tells that a connection broke, and waits for that without a limit
        async with asyncio.timeout(seconds + self._answer_seconds):
            message = await self._channel.get_message(timeout=seconds)
        if message is None:
            return None
        if message["type"] != "message":  # it was subscribed anew, and what was said meanwhile is lost
            raise RedisError("the subscription broke off")
        return bytes(message["data"])


async def _as_it_is(message: object) -> object:
    """Take a message without redis-py's own way, which writes each out for a log that nobody reads."""
    return message


def _keys_in(names: Sequence[bytes]) -> list[bytes]:
    return [unhexlify(name[-2 * KEY_BYTES :]) for name in names if _is_ours(name)]


def _is_ours(name: bytes) -> bool:
    digits = name.rpartition(b":")[2]
    return len(digits) == 2 * KEY_BYTES and not digits.translate(None, b"0123456789abcdef")
