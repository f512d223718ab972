"""
How long a client may let the gateway wait; kept for each connection, looked at now and then for all of them.

    IDLE ─first byte─▶ HEAD ─headers complete─▶ BODY ─message complete─▶ WHOLE ─answered─▶ IDLE
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

log = logging.getLogger(__name__)

# bytes a second that a body must have on average beyond its first `body_timeout` seconds
SLOWEST_BODY = 1024


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What a client may take; times in seconds."""

    max_body_bytes: int
    max_header_bytes: int
    max_pipelined: int
    head_timeout: float
    body_timeout: float
    write_timeout: float
    idle_timeout: float

    @property
    def shortest(self) -> float:
        return min(self.head_timeout, self.body_timeout, self.write_timeout, self.idle_timeout)


class Phase(Enum):
    """What the newest request of a connection has sent so far."""

    IDLE = 0
    HEAD = 1
    BODY = 2
    WHOLE = 3


# Python 3.11 runs a call to find a member, and every request asks for some
IDLE, HEAD, BODY, WHOLE = Phase


class Overdue(Enum):
    """What a client is late with."""

    HEAD = 0
    BODY = 1
    NEXT_REQUEST = 2
    READING = 3
    """It takes nothing of what waits for it."""


class Deadlines:
    """Where a connection stands, and since when; times are the loop's."""

    __slots__ = ("_delivered", "_delivered_at", "_limits", "_time", "head_bytes", "phase", "since")

    def __init__(self, limits: ConnectionLimits, time: Callable[[], float]) -> None:
        self.phase = IDLE
        self.since = time()
        self.head_bytes = 0
        """Of the head, or of the trailers, that comes now."""
        self._limits = limits
        self._delivered = 0
        self._delivered_at = self.since
        self._time = time

    def enter(self, phase: Phase) -> None:
        if phase is not self.phase:
            self.head_bytes = 0
        self.phase = phase
        self.since = self._time()

    def overdue(self, now: float, written: int, unsent: int, body_bytes: int) -> Overdue | None:
        """
        Return what is late.

        Args:
            now: The loop's time.
            written: Bytes that were given to the transport so far.
            unsent: Those of them that wait in it.
            body_bytes: What came of the newest body.
        """
        limits, waited = self._limits, now - self.since
        if self._is_stalled(now, written - unsent, unsent):
            return Overdue.READING
        if self.phase is HEAD and waited > limits.head_timeout:
            return Overdue.HEAD
        if self.phase is BODY and waited > limits.body_timeout + body_bytes / SLOWEST_BODY:
            return Overdue.BODY
        if self.phase is IDLE and waited > limits.idle_timeout:
            return Overdue.NEXT_REQUEST
        return None

    def _is_stalled(self, now: float, delivered: int, unsent: int) -> bool:
        if not unsent or delivered != self._delivered:
            self._delivered, self._delivered_at = delivered, now
        return now - self._delivered_at > self._limits.write_timeout


class Watched(Protocol):
    """A connection with deadlines."""

    def check(self, now: float) -> None:
        """Refuse or close what is overdue."""


async def watch(connections: Iterable[Watched], every: float) -> None:
    """
    Check all connections until cancelled.

    One timer for all of them: a timer for each request costs more than the request's own reading.
    """
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(every)
        now = loop.time()
        for connection in tuple(connections):
            try:
                connection.check(now)
            except Exception:  # one connection must not end the watch over all others
                log.exception("a connection could not be checked")
