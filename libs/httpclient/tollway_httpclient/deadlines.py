"""
Until when the next byte of an exchange must come, and all of its answer; kept by each connection.

Both share one timer, which is let run: when it fires early it is set again to what is due by then. So an exchange sets
no timer as a rule, where a timer for each would cost two.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from tollway_httpclient.errors import FirstByteTimeout, HttpClientError, Reset, Stalled, TotalTimeout

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tollway_httpclient.limits import Timeouts

# loops count in milliseconds, so a timer may fire that much early
_EARLY = 0.001


class Deadlines:
    """
    What a connection may wait for.

    Args:
        loop: Whose time and timer it is.
        fail: Called with what is late; the connection ends with it.
    """

    __slots__ = ("_fail", "_late", "_loop", "_patience", "_stall", "_timer", "_timer_at", "_total_at", "heard_at")

    def __init__(self, loop: asyncio.AbstractEventLoop, fail: Callable[[HttpClientError], None]) -> None:
        self.heard_at = 0.0
        """Since when the next byte is waited for; set with every read of an answer, which moves no timer."""
        self._loop = loop
        self._fail = fail
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = self._patience = self._total_at = self._stall = inf
        self._late: type[HttpClientError] = Reset

    def begin(self, timeouts: Timeouts) -> None:
        """Begin an exchange, whose request leaves now."""
        now = self._loop.time()
        self._total_at = total_at = now + timeouts.total
        self._stall = timeouts.stall
        # not by `_await`, here and in `rest`: every exchange comes through both
        self.heard_at, self._patience, self._late = now, timeouts.first_byte, FirstByteTimeout
        if now + timeouts.first_byte < self._timer_at or total_at < self._timer_at:
            self._set_timer()

    def rest(self, seconds: float) -> float:
        """Have no exchange, and close after so many seconds; return from when on they count."""
        now = self._loop.time()
        self._total_at = inf
        self.heard_at, self._patience, self._late = now, seconds, Reset
        if now + seconds < self._timer_at:
            self._set_timer()
        return now

    def await_first(self, seconds: float) -> None:
        """Let the answer's first byte come within so many seconds."""
        self._await(self._loop.time(), seconds, FirstByteTimeout)

    def await_next(self) -> None:
        """Let the next byte come within what one may take after another."""
        self._await(self._loop.time(), self._stall, Stalled)

    def change_stall(self, seconds: float) -> None:
        """Let another time pass between two bytes from here on."""
        self._stall = seconds

    def await_none(self) -> None:
        """Wait for no byte: it is this side that does not read."""
        self._patience = inf

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _await(self, since: float, seconds: float, late: type[HttpClientError]) -> None:
        self.heard_at, self._patience, self._late = since, seconds, late
        if since + seconds < self._timer_at or self._total_at < self._timer_at:
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = self._due()
        self._timer = self._loop.call_at(self._timer_at, self._tick)

    def _due(self) -> float:
        return min(self.heard_at + self._patience, self._total_at)

    def _tick(self) -> None:
        self._timer = None
        self._timer_at = inf
        if self._due() - self._loop.time() > _EARLY:
            self._await(self.heard_at, self._patience, self._late)
        elif self.heard_at + self._patience <= self._total_at:
            self._fail(self._late("no byte came in time"))
        else:
            self._fail(TotalTimeout("the answer took too long in all"))
