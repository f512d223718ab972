"""One suite for everything that remembers which account made what."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis
from tollway_provider_dispatch.adapters.memory_accounts import MemoryAccounts
from tollway_provider_dispatch.adapters.redis_accounts import KEPT_SECONDS, RedisAccounts
from tollway_provider_dispatch.domain.account import Account
from tollway_provider_dispatch.domain.ports import AccountsUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_provider_dispatch.domain.ports import Accounts
    from tollway_servicekit.redis_process import RedisProcess

ONE, OTHER = Account("acme", "openai", "0a1b2c3d"), Account("globex", "openai", "4e5f6071")


@pytest.fixture(params=["memory", "redis"])
async def accounts(request: pytest.FixtureRequest) -> AsyncIterator[Accounts]:
    if request.param == "memory":
        yield MemoryAccounts()
        return
    redis = RedisAccounts.from_url(request.getfixturevalue("redis_process").url)
    yield redis
    await redis.close()


async def test_who_made_it_is_found_by_its_id(accounts: Accounts) -> None:
    await accounts.remember("resp_1", ONE)
    await accounts.remember("resp_2", OTHER)
    assert [await accounts.find(name) for name in ("resp_1", "resp_2")] == [ONE, OTHER]


ODD = ("", "resp_1 ", "RESP_1", "resp_" + "1" * 10_000, "\ud800", "*", "a\r\nGET b")


@pytest.mark.parametrize("name", ODD, ids=range(len(ODD)))
async def test_an_id_that_nobody_made_finds_nobody(accounts: Accounts, name: str) -> None:
    await accounts.remember("resp_1", ONE)
    assert await accounts.find(name) is None


async def test_memory_forgets_the_oldest_where_it_is_full() -> None:
    accounts = MemoryAccounts(most=2)
    for name in ("a", "b", "c"):
        await accounts.remember(name, ONE)
    assert [await accounts.find(name) for name in ("a", "b", "c")] == [None, ONE, ONE]


async def test_redis_keeps_it_as_long_as_the_provider_keeps_the_answer(redis_process: RedisProcess) -> None:
    accounts, redis = RedisAccounts.from_url(redis_process.url), Redis.from_url(redis_process.url)
    await accounts.remember("resp_1", ONE)
    (key,) = await redis.keys()
    assert KEPT_SECONDS - 60 < await redis.ttl(key) <= KEPT_SECONDS
    await accounts.close()
    await redis.aclose()


@pytest.mark.parametrize("turns", range(8))
async def test_whoever_is_cancelled_while_it_is_remembered_does_not_go_on(accounts: Accounts, turns: int) -> None:
    async def remember() -> None:
        await accounts.remember("resp_1", ONE)
        await asyncio.Event().wait()

    for _ in range(5):  # with a new connection, and with one that is kept
        remembering = asyncio.ensure_future(remember())
        for _ in range(turns):
            await asyncio.sleep(0)
        remembering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(remembering, 2)


async def test_redis_that_is_away_is_told_from_nobody_and_found_again(redis_process: RedisProcess) -> None:
    accounts = RedisAccounts.from_url(redis_process.url)
    await accounts.remember("resp_1", ONE)
    redis_process.stop()
    with pytest.raises(AccountsUnavailable, match="STATE_REDIS_URL"):
        await accounts.find("resp_1")
    with pytest.raises(AccountsUnavailable):
        await accounts.remember("resp_1", ONE)
    redis_process.start()
    assert await accounts.find("resp_1") is None
    await accounts.close()


async def test_what_another_version_wrote_is_no_account(redis_process: RedisProcess) -> None:
    accounts, redis = RedisAccounts.from_url(redis_process.url), Redis.from_url(redis_process.url)
    await accounts.remember("resp_1", ONE)
    (key,) = await redis.keys()
    await redis.set(key, b"\x93")
    with pytest.raises(AccountsUnavailable, match="version"):
        await accounts.find("resp_1")
    await accounts.close()
    await redis.aclose()
