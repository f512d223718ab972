"""Calls of every sort, many at once, each checked; for tests of what goes wrong on links."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from typing import Any

import pytest
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.context import call_metadata
from tollway_servicekit.errors import DeadlineExceeded, Unavailable
from tollway_servicekit.stubs import responses


def told(**what: object) -> Any:
    return call_metadata("&".join(f"{name}={value}" for name, value in what.items()))


def tell(record_property: Any, title: str, **row: object) -> None:
    record_property("table", {"title": f"links: {title}", "row": row})


class ChaosCalls:
    """Makes calls of every sort and checks what comes back; `outcomes` counts how they ended."""

    def __init__(self, stub: Any, seed: int) -> None:
        self._stub = stub
        self._random = random.Random(seed)
        self.outcomes: Counter[str] = Counter()

    async def one(self, number: int) -> None:
        sort = self._random.choice(["unary"] * 6 + ["cancelled", "expired", "stream", "slow reader", "left", "large"])
        try:
            await getattr(self, "_" + sort.replace(" ", "_"))(number)
        except Unavailable:
            sort += " unavailable"
        self.outcomes[sort] += 1

    async def _unary(self, number: int, **what: object) -> None:
        delay, size = self._random.random() / 50, self._random.randrange(3000)
        metadata = told(**{"delay": delay, "size": size} | what)
        answer = await self._stub.ResolvePrompt(self._request(number), timeout=60, metadata=metadata)
        assert (answer.name, len(answer.text)) == (str(number), what.get("size", size))

    async def _large(self, number: int) -> None:
        await self._unary(number, size=self._random.randrange(300_000))

    async def _cancelled(self, number: int) -> None:
        call = asyncio.ensure_future(self._unary(number))
        await asyncio.sleep(self._random.random() / 50)
        call.cancel()
        await asyncio.wait([call])
        if not call.cancelled():
            call.result()

    async def _expired(self, number: int) -> None:
        with pytest.raises(DeadlineExceeded):
            await self._stub.ResolvePrompt(self._request(number), timeout=0.02, metadata=told(delay=60))

    async def _stream(self, number: int, slow: float = 0.0, leave_after: int | None = None) -> None:
        count, size = self._random.randrange(1, 60), self._random.choice([0, 100, 5000, 50_000])
        metadata = told(id=number, count=count, size=size, delay=self._random.choice([0, 0.001]))
        names = []
        async with responses(self._stub.WatchPrompts(pb.WatchPromptsRequest(), timeout=60, metadata=metadata)) as items:
            async for item in items:
                names.append(item.versions[0].name)
                if slow:
                    await asyncio.sleep(slow)
                if len(names) == leave_after:
                    break
        assert names == [f"{number}-{index}" for index in range(min(count, leave_after or count))]

    async def _slow_reader(self, number: int) -> None:
        await self._stream(number, slow=0.005)

    async def _left(self, number: int) -> None:
        await self._stream(number, leave_after=self._random.randrange(1, 10))

    def _request(self, number: int) -> pb.ResolvePromptRequest:
        return pb.ResolvePromptRequest(name=str(number))


async def in_turns(caller: ChaosCalls, calls: int, at_once: int) -> None:
    numbers = iter(range(calls))

    async def work() -> None:
        for number in numbers:
            await caller.one(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())


async def answered(stub: Any) -> None:
    while True:
        try:
            await stub.ResolvePrompt(pb.ResolvePromptRequest(name="x"), timeout=5)
        except Unavailable:
            await asyncio.sleep(0.01)
        else:
            return


def ms(since: float) -> int:
    return round((time.perf_counter() - since) * 1000)
