"""Notices a peer that vanished without a word; one timer for each connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

KEEPALIVE_SECONDS = 10.0
"""A peer that is silent for one to two of these is sent a ping, and has another one to answer: 30 s at most, as gRPC's
channels are told in `channel`."""


class Keepalive:
    """
    Looks once in a while whether anything has come.

    Args:
        ping: Called where nothing has.
        lost: Called where nothing has come since the ping either.
    """

    __slots__ = ("_has_pinged", "_loop", "_lost", "_ping", "_timer", "is_heard")

    def __init__(self, ping: Callable[[], None], lost: Callable[[], None]) -> None:
        self.is_heard = True
        """Set by whoever reads."""
        self._ping = ping
        self._lost = lost
        self._has_pinged = False
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(KEEPALIVE_SECONDS, self._look)

    def stop(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        if self._has_pinged and not self.is_heard:
            self._lost()
            return
        self._timer = self._loop.call_later(KEEPALIVE_SECONDS, self._look)
        self._has_pinged = not self.is_heard
        if self._has_pinged:
            self._ping()
        self.is_heard = False
