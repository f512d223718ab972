"""Look-ups of a workspace that come within a few turns of the loop, asked for together; used by `cache_client`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tollway_edge.domain.call import Call

Found = TypeVar("Found")

MOST_TURNS = 4
"""Of the loop, for which a look-up waits for others while each brings more; one that is alone waits for one."""
MOST_TOGETHER = 64


class LookUps(Generic[Found]):
    """
    Asks for many at the price of a few, since most of that is not the keys'.

    Args:
        ask: Returns what there is for each of several calls of a workspace.
    """

    def __init__(self, ask: Callable[[str, Sequence[Call]], Awaitable[Sequence[Found | None]]]) -> None:
        self._ask = ask
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[str, dict[asyncio.Future[Found | None], Call]] = {}
        self._asking: set[asyncio.Task[None]] = set()

    def find(self, workspace: str, call: Call) -> asyncio.Future[Found | None]:
        """Return what becomes the answer, or None; a call may leave it, and the others are told all the same."""
        future: asyncio.Future[Found | None] = self._loop.create_future()
        waiting = self._waiting.get(workspace)
        if waiting is None or len(waiting) >= MOST_TOGETHER:
            self._waiting[workspace] = waiting = {future: call}
            self._loop.call_soon(self._leave, workspace, waiting, 1, 1)
        else:
            waiting[future] = call
        return future

    def _leave(self, workspace: str, waiting: dict[asyncio.Future[Found | None], Call], count: int, turns: int) -> None:
        """Ask, unless the turn brought more to the so many look-ups that there were before it."""
        if count < len(waiting) < MOST_TOGETHER and turns < MOST_TURNS:
            self._loop.call_soon(self._leave, workspace, waiting, len(waiting), turns + 1)
            return
        if self._waiting.get(workspace) is waiting:
            del self._waiting[workspace]
        asking = asyncio.Task(self._answer(workspace, waiting), loop=self._loop, name="look-ups")
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)

    async def _answer(self, workspace: str, waiting: dict[asyncio.Future[Found | None], Call]) -> None:
        found: Sequence[Found | None] = [None] * len(waiting)
        try:
            found = await self._ask(workspace, list(waiting.values()))
        finally:  # a defect is a miss, too: nobody may be left waiting
            for future, each in zip(waiting, found, strict=True):
                if not future.done():
                    future.set_result(each)
