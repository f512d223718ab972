"""edge watches the cache's keys for as long as it runs, where it uses the exact cache, and its metrics tell."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from tollway.cache.v1 import cache_pb2
from tollway_edge import bootstrap
from tollway_edge.settings import EdgeConfig, Settings
from tollway_servicekit.http_server import serving_http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Others:
    """A cache that tells its keys, and a metering that never tells its workspaces."""

    def __init__(self) -> None:
        self.watches = 0

    async def WatchStoredKeys(self, request: Any) -> AsyncIterator[Any]:  # noqa: N802
        self.watches += 1
        yield cache_pb2.WatchStoredKeysResponse(is_whole=True)
        await asyncio.Event().wait()

    async def WatchWorkspaces(self, request: Any) -> AsyncIterator[Any]:  # noqa: N802
        await asyncio.Event().wait()
        yield


@pytest.mark.parametrize("use_exact_cache", [True, False])
async def test_keys_are_watched_where_the_exact_cache_is_used(use_exact_cache: bool) -> None:
    others, nobody = Others(), SimpleNamespace()
    stubs = bootstrap.Stubs(others, nobody, nobody, others, nobody)
    settings = Settings(config=EdgeConfig(use_exact_cache=use_exact_cache))
    async with (
        bootstrap.bootstrap(settings, stubs) as edge,
        serving_http(edge.api, "127.0.0.1:0", protocol=edge.protocol, grace=1) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
        asyncio.timeout(10),
    ):
        await client.get("/health/live")
        told = (await client.get("/metrics")).text
    assert others.watches == use_exact_cache
    assert f"tollway_cache_keys_known {float(use_exact_cache)}" in told
