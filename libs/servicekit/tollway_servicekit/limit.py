"""A time limit for hot paths: `asyncio.timeout` without its repeated look-ups of loop and task, each a system call."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from types import TracebackType

# loops count in milliseconds, so a timer may fire that much early
_EARLY = 0.001


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


class Limits:
    """
    Of one length, for many blocks at a time, on one timer of the running loop.

    A timer for each costs most of what a `Limit` costs, and hardly any block runs until then.

        limits = Limits(600)
        with SharedLimit(limits):
            await something()
    """

    __slots__ = ("loop", "running", "seconds", "timer")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.loop = asyncio.get_running_loop()
        self.running: dict[SharedLimit, float] = {}
        """Until when each may run; they end in the order in which they began."""
        self.timer: asyncio.TimerHandle | None = None
        """Let run where its block has ended; there is always one while a block runs."""

    def look(self) -> None:
        """End what has run for too long, and look again when the next may have."""
        self.timer = None
        now = monotonic()
        for limit, due in list(self.running.items()):
            if due - now > _EARLY:
                self.timer = self.loop.call_later(due - now, self.look)
                return
            del self.running[limit]
            limit.expire()


class SharedLimit(msgspec.Struct, eq=False):
    """A `Limit` that is one of `Limits`; a struct, since each call makes one."""

    limits: Limits
    has_expired: bool = False
    task: asyncio.Task[Any] | None = None
    """Whose block it is."""
    cancelling: int = 0
    """How often the task was cancelled before."""

    def __enter__(self) -> SharedLimit:
        limits = self.limits
        self.task = task = asyncio.current_task(limits.loop)
        if task is None:
            raise RuntimeError("a limit works inside a task only")
        if cancelling := task.cancelling():
            self.cancelling = cancelling
        limits.running[self] = monotonic() + limits.seconds
        if limits.timer is None:
            limits.timer = limits.loop.call_later(limits.seconds, limits.look)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.has_expired:
            del self.limits.running[self]
        elif self.task and self.task.uncancel() <= self.cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def expire(self) -> None:
        self.has_expired = True
        if self.task is not None:
            self.task.cancel()


class StreamLimit:
    """
    A `Limit` over many blocks of one task: its one timer runs on between them, and cancels only what runs in one.

        limit = StreamLimit(600)
        try:
            while True:
                with limit:
                    item = await anext(items)
                yield item  # what the reader does meanwhile is none of its business
        finally:
            limit.close()
    """

    __slots__ = ("_cancelling", "_handle", "_is_cut", "_is_inside", "_task", "has_expired")

    def __init__(self, seconds: float | None) -> None:
        self.has_expired = self._is_cut = self._is_inside = False
        self._task: asyncio.Task[object] | None = None
        loop = asyncio.get_running_loop()
        self._handle = None if seconds is None else loop.call_later(seconds, self._expire)

    def __enter__(self) -> StreamLimit:
        if self.has_expired:
            raise TimeoutError
        if self._handle is not None:
            task = self._task
            if task is None:
                self._task = task = asyncio.current_task()
            self._cancelling = task.cancelling() if task else 0
            self._is_inside = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_inside, task = False, self._task
        if self._is_cut and task and task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def close(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _expire(self) -> None:
        self.has_expired = True
        if self._is_inside and self._task is not None:
            self._is_cut = True
            self._task.cancel()
