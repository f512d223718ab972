"""Flow control of one stream of items: a reader that is slow holds up its own producer, and no other call."""

from __future__ import annotations

import asyncio

WINDOW_BYTES = 16 * 1024
"""What a producer may be ahead of its reader, give or take one item."""
ITEM_COST = 64
"""Counted for each item beside its bytes, so that empty ones are bounded too."""


class Credit:
    """What the producer may still send."""

    __slots__ = ("_left", "_waiter")

    def __init__(self) -> None:
        self._left = WINDOW_BYTES
        self._waiter: asyncio.Future[None] | None = None

    @property
    def is_spent(self) -> bool:
        return self._left <= 0

    def spend(self, length: int) -> None:
        self._left -= length + ITEM_COST

    def give(self, count: int) -> None:
        self._left += count
        if self._left > 0 and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self) -> None:
        while self._left <= 0:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter


class Taken:
    """What the reader has taken and not yet said; told in halves of the window."""

    __slots__ = ("_untold",)

    def __init__(self) -> None:
        self._untold = 0

    def take(self, length: int) -> int:
        """Count one item; return what is to be told now, or 0."""
        self._untold += length + ITEM_COST
        if self._untold < WINDOW_BYTES // 2:
            return 0
        told, self._untold = self._untold, 0
        return told
