"""Builds the cache's servicer and closes what it opened; called by `__main__`, topologies and tests."""

from __future__ import annotations

import logging
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tollway_servicekit.settings import SettingError

from tollway_cache.adapters.memory_answer_store import MemoryAnswerStore
from tollway_cache.domain.losses import Losses
from tollway_cache.entrypoints.servicer import CacheServicer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_cache.domain.ports import AnswerStore
    from tollway_cache.settings import Settings

log = logging.getLogger(__name__)


@asynccontextmanager
async def bootstrap(settings: Settings, *, store: AnswerStore | None = None) -> AsyncIterator[CacheServicer]:
    """Yield a servicer over the given store, else over Redis where a URL is set, else over this process's memory."""
    losses = Losses(time.monotonic)
    async with _open_store(settings, store) as opened:
        yield CacheServicer(opened, losses, settings.exact_ttl)
    for loss, count in losses.counts.items():
        log.info("since the start: %d %s", count, loss)


@asynccontextmanager
async def _open_store(settings: Settings, given: AnswerStore | None) -> AsyncIterator[AnswerStore]:
    if given is not None:
        yield given
    elif settings.redis_url:
        # imported only here: a process that keeps its answers in memory does not pay for the driver
        from tollway_cache.adapters.redis_answer_store import RedisAnswerStore

        try:
            redis = RedisAnswerStore.from_url(settings.redis_url)
        except ValueError as error:
            raise SettingError("CACHE_REDIS_URL must look like redis://host:6379/0") from error
        log.info("answers are kept in Redis")
        try:
            yield redis
        finally:
            await redis.close()
    else:
        log.info("answers are kept in this process, at most %d bytes", settings.memory_max_bytes)
        yield MemoryAnswerStore(settings.memory_max_bytes, time.monotonic)
