"""Watching and publishing without a transport: what leaks, what a caller that leaves leaves behind."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from tollway_prompt_registry.adapters.jinja_engine import JinjaEngine
from tollway_prompt_registry.adapters.memory_store import MemoryStore
from tollway_prompt_registry.domain.prompts import PromptVersion
from tollway_prompt_registry.domain.registry import PromptRegistry


class GatedStore(MemoryStore):
    """Answers when the test opens its gate."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.added = asyncio.Event()

    async def add(self, version: PromptVersion) -> PromptVersion:
        kept = await super().add(version)
        self.added.set()
        await self.gate.wait()
        return kept


def registry(store: MemoryStore | None = None) -> PromptRegistry:
    return PromptRegistry(store or MemoryStore(), JinjaEngine())


async def test_a_watcher_of_an_empty_registry_is_told_so_at_once() -> None:
    built = registry()
    async with asyncio.timeout(5), aclosing(built.watch()) as news:
        assert await anext(news) == []
        await built.publish(PromptVersion("a", 1, "x"))
        assert await anext(news) == [PromptVersion("a", 1, "x")]


async def test_a_version_published_while_a_watcher_is_busy_is_not_lost_and_not_told_twice() -> None:
    built = registry()
    async with asyncio.timeout(5), aclosing(built.watch()) as news:
        await anext(news)
        versions = [PromptVersion("a", number, "x") for number in (1, 2, 3)]
        for version in versions:
            await built.publish(version)
        assert await anext(news) == versions
        following = asyncio.ensure_future(anext(news))
        await built.publish(PromptVersion("a", 4, "x"))
        assert await following == [PromptVersion("a", 4, "x")]


async def test_a_watcher_that_left_leaves_nothing_behind() -> None:
    built = registry()
    for _ in range(10):
        watching = asyncio.create_task(anext(watch := built.watch()))  # type: ignore[arg-type]
        await watching
        waiting = asyncio.create_task(anext(watch))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        assert len(built._changed._waiters) == 1  # type: ignore[attr-defined]
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert len(built._changed._waiters) == 0  # type: ignore[attr-defined]


async def test_a_publisher_that_leaves_in_the_middle_still_tells_the_watchers() -> None:
    store = GatedStore()
    built = registry(store)
    async with asyncio.timeout(5), aclosing(built.watch()) as news:
        await anext(news)
        publishing = asyncio.create_task(built.publish(PromptVersion("a", 1, "x")))
        await store.added.wait()
        publishing.cancel()
        store.gate.set()
        assert await asyncio.wait_for(anext(news), 5) == [PromptVersion("a", 1, "x")]


async def test_ending_the_watches_ends_every_one() -> None:
    built = registry()

    async def watch() -> int:
        return len([versions async for versions in built.watch()])

    watchers = [asyncio.create_task(watch()) for _ in range(3)]
    await asyncio.sleep(0)
    built.end_watches()
    assert await asyncio.wait_for(asyncio.gather(*watchers), 5) == [1, 1, 1]
