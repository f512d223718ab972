"""Calls in flight as their caller sees them: what the link's reader hands over, and what the caller awaits."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque

from tollway_servicekit.errors import InternalError, ServiceError
from tollway_servicekit.link.flow import ITEM_COST, WINDOW_BYTES, Taken
from tollway_servicekit.link.frames import ANSWER, END, ITEM, PART, BrokenFrames
from tollway_servicekit.link.parts import Parts
from tollway_servicekit.status import from_status


class Pending(ABC):
    """What both kinds of calls share: parts are put together, and deadline and number are kept."""

    __slots__ = ("_parts", "has_ended", "name", "number", "tick")

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = 0
        self.tick = 0.0
        self.has_ended = False
        self._parts: Parts | None = None

    def take(self, kind: int, body: bytes) -> None:
        """Take one frame from the peer."""
        if kind == PART:
            if self._parts is None:
                self._parts = Parts()
            self._parts.add(body)
            return
        if kind in (ITEM, ANSWER):
            if self._parts is not None:
                body, self._parts = self._parts.join(body), None
            self._message(body)
        if kind in (ANSWER, END):
            self.end(from_status(body) if kind == END and body else None)

    @abstractmethod
    def _message(self, body: bytes) -> None:
        """Take a whole message."""

    @abstractmethod
    def end(self, error: ServiceError | None) -> None:
        """Take the call's end; None where it ended well."""


class PendingAnswer(Pending):
    """A unary call. An error is a result too: a caller that was cancelled would never fetch an exception."""

    __slots__ = ("future",)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.future: asyncio.Future[bytes | ServiceError] = asyncio.get_running_loop().create_future()

    def _message(self, body: bytes) -> None:
        if not self.future.done():
            self.future.set_result(body)

    def end(self, error: ServiceError | None) -> None:
        self.has_ended = True
        if not self.future.done():
            self.future.set_result(error or InternalError("INTERNAL", f"{self.name} ended without an answer"))


class PendingItems(Pending):
    """A stream of items."""

    __slots__ = ("_error", "_held", "_items", "_loop", "_taken", "_waiter")

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._loop = asyncio.get_running_loop()  # asked once: each time is a system call
        self._items: deque[bytes] = deque()
        self._error: ServiceError | None = None
        self._held = 0
        self._taken = Taken()
        self._waiter: asyncio.Future[None] | None = None

    async def next(self) -> bytes | None:
        """Return the next item; None at the end of a stream that ended well."""
        while not self._items:
            if self.has_ended:
                if self._error is not None:
                    raise self._error
                return None
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._items.popleft()

    def credit(self, item: bytes) -> int:
        """Count an item as taken; return what the peer is to be told, or 0."""
        self._held -= len(item) + ITEM_COST
        return self._taken.take(len(item))

    def _message(self, body: bytes) -> None:
        if self._held >= WINDOW_BYTES:
            raise BrokenFrames("an item came that its reader had no room for")
        self._held += len(body) + ITEM_COST
        self._items.append(body)
        self._wake()

    def end(self, error: ServiceError | None) -> None:
        if not self.has_ended:
            self.has_ended = True
            self._error = error
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
