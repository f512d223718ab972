"""A server that answers each request with the next of a test's answers, and providers that are all of them there."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tollway_provider_dispatch.adapters.memory_accounts import MemoryAccounts
from tollway_provider_dispatch.adapters.memory_cooldowns import MemoryCooldowns
from tollway_provider_dispatch.bootstrap import chain_of, models_of
from tollway_provider_dispatch.domain.cooldowns import CooldownLimits, Cooldowns
from tollway_provider_dispatch.domain.dispatch import Dispatcher
from tollway_provider_dispatch.domain.policy import Policies, Rules
from tollway_provider_dispatch.domain.trying.attempts import AttemptLimits
from tollway_provider_dispatch.domain.trying.tries import Trying
from tollway_provider_dispatch.settings import Model, ProviderSettings, Settings

sys.path.insert(0, str(Path(__file__).parent))
from saying import END, STREAM


@pytest.fixture
def cascading(client_kind: Callable[..., Any], hasty_clock: Callable[..., Any]) -> Callable[..., Any]:
    """A dispatcher for which several providers, all at the given URL, serve the model `m`."""

    @asynccontextmanager
    async def cascading(
        url: str,
        *names: str,
        read_timeout: float = 10.0,
        rules: Rules | None = None,
        keys: tuple[str, ...] = ("sk-1",),
        **model: Any,
    ) -> AsyncIterator[Dispatcher]:
        settings = Settings(
            providers={name: ProviderSettings(keys, url) for name in names},
            models={"m": Model(list(names), **model), "large": Model([names[0]], context=model.get("context", 0) * 2)},
            routes={"default": rules or Rules()},
        )
        client, clock = client_kind(5.0, read_timeout), hasty_clock()
        cooldowns = Cooldowns(MemoryCooldowns(clock.now), clock, CooldownLimits())
        trying = Trying(AttemptLimits(), clock, cooldowns, random.random)
        yield Dispatcher(
            models_of(settings, chain_of(settings)),
            dict.fromkeys(names, client),
            MemoryAccounts(),
            trying,
            policies=Policies(settings.routes),
        )
        await client.aclose()

    return cascading


@pytest.fixture
def say(server: Any) -> Any:
    """Answer each request with the next of these bytes, in one or several packets; a cut one ends its connection."""

    def say(*answers: bytes | tuple[bytes, ...]) -> None:
        left = iter(answers)

        async def answer(_: Any, writer: asyncio.StreamWriter) -> None:
            said = next(left)
            packets = said if isinstance(said, tuple) else (said,)
            for packet in packets:
                writer.write(packet)
                await writer.drain()
                await asyncio.sleep(0.02)  # a packet of its own for each
            if packets[0].startswith(STREAM) and not packets[-1].endswith(END):
                writer.close()

        server.answer = answer

    return say


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def unix_ms(self) -> int:
        return round(self.time * 1000)

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryCooldowns:
    return MemoryCooldowns(clock.now)


@pytest.fixture
def cooldowns(store: MemoryCooldowns, clock: Clock) -> Cooldowns:
    return Cooldowns(store, clock, CooldownLimits())
