"""A time limit for hot paths: `asyncio.timeout` without its repeated look-ups of loop and task, each a system call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class Limit:
    """
    Cancels what runs in its block after so many seconds, and makes a TimeoutError of that; None sets no limit.

        with Limit(0.3):
            await something()

    As with `asyncio.timeout`, a cancellation that came from elsewhere stays a cancellation.
    """

    __slots__ = ("_cancelling", "_handle", "_seconds", "_task", "has_expired")

    def __init__(self, seconds: float | None) -> None:
        self.has_expired = False
        self._seconds = seconds
        self._handle: asyncio.TimerHandle | None = None

    def __enter__(self) -> Limit:
        if self._seconds is None:
            return self
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a limit works inside a task only")
        self._task = task
        self._cancelling = task.cancelling()
        self._handle = task.get_loop().call_later(self._seconds, self._expire)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is None:
            return
        self._handle.cancel()
        if self.has_expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _expire(self) -> None:
        self.has_expired = True
        self._task.cancel()
