"""Two replicas on one Redis: what one of them stores the other finds, and asks for nothing that nobody stored."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.wires import WIRES
from tollway_edge.adapters.cache_client import CacheClient
from tollway_edge.domain.call import Call
from tollway_edge.domain.forwarded import Forwarded
from tollway_edge.domain.workspaces import Workspace
from tollway_edge.settings import EdgeConfig
from tollway_servicekit.redis_process import RedisProcess, running_redis
from tollway_topologies.in_process import data_plane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture
def redis() -> Iterator[RedisProcess]:
    if not RedisProcess.is_installed():
        pytest.skip("redis-server is not installed; install it (apt-get install redis-server) to test against it")
    with running_redis() as process:
        yield process


@asynccontextmanager
async def replica(redis: RedisProcess, kind: str) -> AsyncIterator[Any]:
    """Yield the cache of one replica as its pipeline has it, once it knows what is stored."""
    async with AsyncExitStack() as stack:
        environ = {"SIMULATOR_URL": "http://127.0.0.1:1", "CACHE_REDIS_URL": redis.url, "TOLLWAY_CONFIG": ""}
        plane = await data_plane(environ, stack)
        cache = plane.ports(EdgeConfig())["cache"] if kind == "direct" else CacheClient(plane.stubs["cache"], 1 << 20)
        jobs = [asyncio.create_task(job) for job in (cache.writes.run(), cache.stored_keys.run())]
        await _until(lambda: cache.stored_keys.are_known)
        yield cache
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)


def asked(number: int) -> Call:
    dialect = Dialect.ANTHROPIC_MESSAGES
    call = Call(dialect, WIRES[dialect], b"", Forwarded.of([]), workspace=Workspace("acme"))
    call.exact_key = number.to_bytes(32, "big")
    call.provider, call.model = "simulator", "claude-haiku-5-5"
    return call


async def _until(holds: Any) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("kinds", [("direct", "direct"), ("direct", "stub"), ("stub", "direct")], ids="-".join)
async def test_an_answer_of_one_replica_is_found_by_the_others_now_and_by_those_that_come_later(
    redis: RedisProcess, kinds: tuple[str, str]
) -> None:
    async with replica(redis, kinds[0]) as first, replica(redis, kinds[1]) as second:
        assert not any(each.may_hold(asked(number).exact_key) for each in (first, second) for number in range(50))
        first.store(asked(1), b"{}", 42)
        assert first.may_hold(asked(1).exact_key)
        await _until(lambda: second.may_hold(asked(1).exact_key))
        found = await second.look_up(asked(1))
        assert (found.body, found.cost_micro_usd) == (b"{}", 42)
        async with replica(redis, kinds[0]) as later:
            assert (later.may_hold(asked(1).exact_key), later.may_hold(asked(2).exact_key)) == (True, False)


@pytest.mark.parametrize("kind", ["direct", "stub"])
async def test_a_replica_whose_redis_went_away_asks_for_everything(redis: RedisProcess, kind: str) -> None:
    async with replica(redis, kind) as cache:
        assert not cache.may_hold(asked(1).exact_key)
        redis.stop()
        await _until(lambda: cache.may_hold(asked(1).exact_key))
        assert await cache.look_up(asked(1)) is None
