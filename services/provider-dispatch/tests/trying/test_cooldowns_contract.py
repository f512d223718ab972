"""One suite for everything that shares cooldowns."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from redis.asyncio import Redis
from tollway_provider_dispatch.adapters.memory_cooldowns import MemoryCooldowns
from tollway_provider_dispatch.adapters.redis_cooldowns import KEY, RedisCooldowns
from tollway_provider_dispatch.domain.cooldown import FORGOTTEN_SECONDS, MOST_REMEMBERED
from tollway_provider_dispatch.domain.ports import CooldownsUnavailable
from tollway_provider_dispatch.domain.trying.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tollway_servicekit.redis_process import RedisProcess

STEPS = (5.0, 10.0, 20.0)
FAILED, LIMITED = Verdict.FAILED, Verdict.RATE_LIMITED


class Shared:
    """A store, a second view of it as another replica has it, and a way to let time pass."""

    def __init__(self, store: Any, other: Any, let_pass: Callable[[float], Any]) -> None:
        self.store = store
        self.other = other
        self.let_pass = let_pass

    async def trip(self, scope: str = "a/m/k", cause: Verdict = FAILED, steps: Any = STEPS) -> tuple[int, int, bool]:
        told = await self.store.trip(scope, cause, "status_503", steps)
        assert told.scope == scope
        return told.level, round(told.seconds_left), told.is_new

    async def entries(self) -> dict[str, tuple[Verdict, str, int, int]]:
        told = await self.other.entries()
        return {each.scope: (each.cause, each.reason, round(each.seconds_left), each.level) for each in told}


@pytest.fixture(params=["memory", "redis"])
async def shared(request: pytest.FixtureRequest) -> AsyncIterator[Shared]:
    if request.param == "memory":
        clock = [1000.0]
        store = MemoryCooldowns(lambda: clock[0])

        async def pass_by(seconds: float) -> None:
            clock[0] += seconds

        yield Shared(store, store, pass_by)
        return
    url = request.getfixturevalue("redis_process").url
    one, other, redis = RedisCooldowns.from_url(url), RedisCooldowns.from_url(url), Redis.from_url(url)

    async def age(seconds: float) -> None:
        """Redis' own clock cannot be set, so what it keeps is made older."""
        script = """for _, scope in ipairs(redis.call('HKEYS', KEYS[1])) do
          local each = cjson.decode(redis.call('HGET', KEYS[1], scope))
          each.until_ms, each.probed_ms = each.until_ms - ARGV[1], each.probed_ms - ARGV[1]
          redis.call('HSET', KEYS[1], scope, cjson.encode(each))
        end"""
        await redis.eval(script, 1, KEY, round(seconds * 1000))

    yield Shared(one, other, age)
    for each in (one, other, redis):
        await (each.aclose() if isinstance(each, Redis) else each.close())


async def test_each_probe_that_fails_opens_for_longer(shared: Shared) -> None:
    assert await shared.trip() == (0, 5, True)
    for level, seconds in ((1, 10), (2, 20), (2, 20)):
        await shared.let_pass(20.5)
        assert await shared.trip() == (level, seconds, False)


async def test_what_is_open_already_is_not_opened_for_longer_by_those_who_come_late(shared: Shared) -> None:
    await shared.trip()
    await shared.let_pass(2)
    assert await shared.trip() == (0, 3, False)


async def test_a_rest_is_as_long_as_the_longest_that_was_told(shared: Shared) -> None:
    assert await shared.trip(cause=LIMITED, steps=(30.0,)) == (0, 30, True)
    assert await shared.trip(cause=LIMITED, steps=(10.0,)) == (0, 30, False)
    assert await shared.trip(cause=LIMITED, steps=(50.0,)) == (0, 50, False)


async def test_everybody_hears_of_it(shared: Shared) -> None:
    await shared.trip("a/m/k")
    await shared.trip("b/m/k", LIMITED, (30.0,))
    assert await shared.entries() == {
        "a/m/k": (FAILED, "status_503", 5, 0),
        "b/m/k": (LIMITED, "status_503", 30, 0),
    }
    await shared.let_pass(31)
    # a breaker is half open then; a rest is over
    assert await shared.entries() == {"a/m/k": (FAILED, "status_503", 0, 0)}


async def test_what_is_closed_is_gone_and_begins_with_the_first_step_again(shared: Shared) -> None:
    await shared.trip()
    await shared.let_pass(6)
    await shared.trip()
    await shared.store.clear("a/m/k")
    assert await shared.entries() == {}
    assert await shared.trip() == (0, 5, True)


async def test_what_nobody_came_back_to_is_forgotten(shared: Shared) -> None:
    await shared.trip()
    await shared.let_pass(FORGOTTEN_SECONDS + 6)
    assert await shared.entries() == {}
    assert await shared.trip() == (0, 5, True)


async def test_of_many_one_alone_probes(shared: Shared) -> None:
    await shared.trip()
    await shared.let_pass(6)
    stores = [shared.store, shared.other] * 5
    assert sum(await asyncio.gather(*(each.claim("a/m/k", 30) for each in stores))) == 1
    await shared.let_pass(31)
    assert await shared.other.claim("a/m/k", 30)


async def test_after_a_probe_that_failed_another_may_follow(shared: Shared) -> None:
    await shared.trip()
    await shared.let_pass(6)
    assert await shared.store.claim("a/m/k", 30)
    await shared.trip()
    await shared.let_pass(11)
    assert await shared.other.claim("a/m/k", 30)


async def test_a_probe_that_is_given_back_is_another_ones(shared: Shared) -> None:
    await shared.trip()
    await shared.let_pass(6)
    assert await shared.store.claim("a/m/k", 30)
    assert not await shared.other.claim("a/m/k", 30)
    await shared.store.release("a/m/k")
    assert await shared.other.claim("a/m/k", 30)
    await shared.store.release("nobody/m/k")
    assert list(await shared.entries()) == ["a/m/k"]


async def test_of_too_many_the_one_that_ends_first_makes_room(shared: Shared) -> None:
    await shared.trip("a/first/k", steps=(5.0,))
    for number in range(MOST_REMEMBERED):
        await shared.trip(f"a/x{number}/k", steps=(30.0,))
    await shared.trip("a/x0/k", LIMITED, (60.0,))
    assert set(await shared.entries()) == {f"a/x{number}/k" for number in range(MOST_REMEMBERED)}


async def test_redis_that_is_away_is_told_and_found_again(redis_process: RedisProcess) -> None:
    store = RedisCooldowns.from_url(redis_process.url)
    await store.trip("a/m/k", FAILED, "x", STEPS)
    redis_process.stop()
    for asked in (
        store.trip("a/m/k", FAILED, "x", STEPS),
        store.claim("a/m/k", 1),
        store.release("a/m/k"),
        store.clear("a/m/k"),
        store.entries(),
    ):
        with pytest.raises(CooldownsUnavailable, match="STATE_REDIS_URL"):
            await asked
    redis_process.start()
    assert (await store.trip("a/m/k", FAILED, "x", STEPS)).is_new
    await store.close()
