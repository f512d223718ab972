"""Who made what, in the Redis of the role `state`: shared by all replicas, and there after a restart."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from tollway_provider_dispatch.adapters.state_redis import limited, open_redis
from tollway_provider_dispatch.domain.account import Account
from tollway_provider_dispatch.domain.ports import AccountsUnavailable

if TYPE_CHECKING:
    from redis.asyncio import Redis

# OpenAI keeps responses for 30 days
KEPT_SECONDS = 30 * 24 * 3600
ANSWER_SECONDS = 1.0

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Account).decode


class RedisAccounts:
    """An `Accounts`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @classmethod
    def from_url(cls, url: str) -> RedisAccounts:
        """Connect on first use; a malformed URL is a ValueError."""
        return cls(open_redis(url))

    async def close(self) -> None:
        await self._redis.aclose()

    async def remember(self, kept_id: str, account: Account) -> None:
        async with limited(ANSWER_SECONDS, AccountsUnavailable):
            await self._redis.set(_key(kept_id), _encode(account), ex=KEPT_SECONDS)

    async def find(self, kept_id: str) -> Account | None:
        async with limited(ANSWER_SECONDS, AccountsUnavailable):
            value = await self._redis.get(_key(kept_id))
        try:
            return None if value is None else _decode(value)  # type: ignore[arg-type]  # bytes, since no decoding was asked for
        except msgspec.DecodeError as error:
            raise AccountsUnavailable("Redis: what was remembered is of another version") from error


def _key(kept_id: str) -> str:
    # an id comes from a client: of any length, with any character
    return f"tollway:account:{hashlib.sha256(kept_id.encode('utf-8', 'surrogatepass')).hexdigest()}"
