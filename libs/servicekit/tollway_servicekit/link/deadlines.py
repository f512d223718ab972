"""Deadlines of many calls with one timer: each falls due at most a tick late. Cheaper than a timer for each call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TICK_SECONDS = 0.01


class Deadlines:
    """
    Calls `expire(number)` for each call whose deadline passes before it is cleared.

    The timer runs only while there is a deadline.
    """

    def __init__(self, expire: Callable[[int], None]) -> None:
        self._expire = expire
        self._loop = asyncio.get_running_loop()
        self._due: dict[int, set[int]] = {}
        self._seen = 0
        self._timer: asyncio.TimerHandle | None = None

    def set(self, number: int, seconds: float) -> int:
        """Return the tick, which `clear` wants to know."""
        now = self._loop.time()
        if self._timer is None:
            self._seen = int(now / TICK_SECONDS)
            self._timer = self._loop.call_later(TICK_SECONDS, self._look)
        tick = max(self._seen, int((now + seconds) / TICK_SECONDS)) + 1  # one that has passed is due at the next look
        numbers = self._due.get(tick)
        if numbers is None:
            self._due[tick] = {number}
        else:
            numbers.add(number)
        return tick

    def clear(self, number: int, tick: int) -> None:
        numbers = self._due.get(tick)
        if numbers is not None:
            numbers.discard(number)
            if not numbers:
                del self._due[tick]

    def close(self) -> None:
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        now = int(self._loop.time() / TICK_SECONDS)
        for tick in range(self._seen + 1, now + 1):
            for number in self._due.pop(tick, ()):
                self._expire(number)
        self._seen = now
        self._timer = self._loop.call_later(TICK_SECONDS, self._look) if self._due else None
