"""How provider-dispatch talks to the Redis of the role `state`; used by everything that is kept there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def open_redis(url: str) -> Redis:
    """Connect on first use; a malformed URL is a ValueError."""
    # a connection that was kept may have ended meanwhile; a server that hangs is not asked twice
    retry = Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
    # `limited` bounds every command: the driver's own limit swallows the cancellation of a client that left
    return Redis.from_url(url, retry=retry, socket_timeout=None, socket_connect_timeout=None)


@asynccontextmanager
async def limited(seconds: float, unavailable: type[Exception]) -> AsyncIterator[None]:
    """Give a command so many seconds; raise `unavailable` where it does not end well."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (RedisError, OSError) as error:
        raise unavailable(f"Redis: {type(error).__name__}; check STATE_REDIS_URL and its server") from error
