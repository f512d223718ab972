"""Deadlines of many calls with one timer: each falls due at most a tick late. Cheaper than a timer for each call."""

from __future__ import annotations

import asyncio
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TICK_SECONDS = 0.01


class Deadlines:
    """
    Calls `expire(number)` for each call whose deadline passes before it is cleared.

    Calls that get the same time fall due in the order in which they came; there are few such times, and many calls.
    The timer runs only while there is a deadline.
    """

    def __init__(self, expire: Callable[[int], None]) -> None:
        self._expire = expire
        self._loop = asyncio.get_running_loop()
        self._due: dict[float, dict[int, float]] = {}
        """When each call is due, by the seconds that it got."""
        self._timer: asyncio.TimerHandle | None = None

    def set(self, number: int, seconds: float) -> None:
        calls = self._due.get(seconds)
        if calls is None:
            calls = self._due[seconds] = {}
            if self._timer is None:
                self._timer = self._loop.call_later(TICK_SECONDS, self._look)
        calls[number] = self._loop.time() + seconds

    def clear(self, number: int, seconds: float) -> None:
        """Forget a call that got so many seconds."""
        calls = self._due.get(seconds)
        if calls is not None:
            calls.pop(number, None)

    def close(self) -> None:
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        now = self._loop.time()
        for seconds, calls in list(self._due.items()):
            for number, _ in list(takewhile(lambda call: call[1] <= now, calls.items())):
                if calls.pop(number, None) is not None:  # unless another one's end was its end, too
                    self._expire(number)
            if not calls:
                self._due.pop(seconds, None)
        self._timer = self._loop.call_later(TICK_SECONDS, self._look) if self._due else None
