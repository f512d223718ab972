"""
Deadlines of the calls in flight on a link, with one timer. Cheaper than a timer for each call, or noting each end.

A call keeps when it is due. The timer waits for the first that was due when they were last looked at; most have ended
by then.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TICK_SECONDS = 0.01
"""They are looked at no more often."""


class Timed(Protocol):
    """A call in flight."""

    due: float
    """In the loop's time; infinite where there is no deadline."""


class Deadlines:
    """
    Calls `expire(number)` for each call that is still in flight when it is due, at most a tick late.

    Args:
        calls: Those in flight, by number.
        expire: Ends a call; others may begin or end with it.
    """

    def __init__(self, calls: Mapping[int, Timed], expire: Callable[[int], None]) -> None:
        self._calls = calls
        self._expire = expire
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._next_look = inf

    def after(self, seconds: float) -> float:
        """Return when a call is due that begins now and gets so many seconds."""
        due = self._loop.time() + seconds
        if due < self._next_look:
            self._look_at(due)
        return due

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look_at(self, when: float) -> None:
        self.close()
        self._next_look = when
        self._timer = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        for number in [number for number, call in self._calls.items() if call.due <= now]:
            if number in self._calls:  # unless another one's end was its end, too
                self._expire(number)
        self._next_look = inf
        if (due := min((call.due for call in self._calls.values()), default=inf)) < inf:
            self._look_at(max(due, now + TICK_SECONDS))
