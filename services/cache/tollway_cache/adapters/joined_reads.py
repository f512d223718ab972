"""Joins reads that are wanted at the same moment into one round trip; used by the Redis store for its lookups."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    Fetch = Callable[[Sequence[str]], Awaitable[Sequence[bytes | None]]]

# enough that one slow round trip does not hold up the next, few enough that reads find company
MOST_IN_FLIGHT = 2
MOST_KEYS = 64


class JoinedReads:
    """
    Reads of one group of keys that may share a command (a workspace: its keys lie on one node of a Cluster).

    Args:
        fetch: Reads keys and returns their values in the same order; what it raises reaches every reader of them.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._waiting: list[tuple[str, asyncio.Future[bytes | None]]] = []
        self._in_flight = 0
        self._flights: set[asyncio.Task[None]] = set()  # the loop itself holds tasks only weakly

    @property
    def is_idle(self) -> bool:
        return not self._waiting and not self._in_flight

    async def read(self, key: str) -> bytes | None:
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answer))
        if self._in_flight < MOST_IN_FLIGHT:
            self._in_flight += 1
            flight = asyncio.create_task(self._fly())
            self._flights.add(flight)
            flight.add_done_callback(self._flights.discard)
        return await answer

    async def _fly(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_KEYS], self._waiting[MOST_KEYS:]
            try:
                values = await self._fetch([key for key, _ in batch])
                found = list(zip(batch, values, strict=True))
            except Exception as error:
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(error)
            else:
                for (_, answer), value in found:
                    if not answer.done():
                        answer.set_result(value)
        # in the same breath as the look at `_waiting`: whoever comes next starts a flight of its own
        self._in_flight -= 1
