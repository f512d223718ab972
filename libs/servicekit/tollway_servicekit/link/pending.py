"""Calls in flight as their caller sees them: what the link's reader hands over, and what the caller awaits."""

from __future__ import annotations

import asyncio
from collections import deque

import msgspec

from tollway_servicekit.errors import InternalError, ServiceError
from tollway_servicekit.link.flow import ITEM_COST, WINDOW_BYTES, Taken
from tollway_servicekit.link.frames import ANSWER, END, ITEM, PART, BrokenFrames
from tollway_servicekit.link.parts import Parts
from tollway_servicekit.status import from_status


class Pending(msgspec.Struct, eq=False, kw_only=True):
    """What both kinds of calls share: parts are put together, and time limit and number are kept."""

    name: str
    timeout: float | None
    number: int = 0
    has_ended: bool = False
    parts: Parts | None = None

    def take(self, kind: int, body: bytes) -> None:
        """Take one frame from the peer."""
        if kind == PART:
            if self.parts is None:
                self.parts = Parts()
            self.parts.add(body)
            return
        if kind == END:
            self.end(from_status(body) if body else None)
        elif kind in (ANSWER, ITEM):
            if self.parts is not None:
                body, self.parts = self.parts.join(body), None
            self.message(body)
            if kind == ANSWER:
                self.end(None)

    def message(self, body: bytes) -> None:
        """Take a whole message."""
        raise NotImplementedError

    def end(self, error: ServiceError | None) -> None:
        """Take the call's end; None where it ended well."""
        raise NotImplementedError


class PendingAnswer(Pending, eq=False):
    """A unary call. An error is a result too: a caller that was cancelled would never fetch an exception."""

    future: asyncio.Future[bytes | ServiceError]

    def take(self, kind: int, body: bytes) -> None:
        if kind == ANSWER and self.parts is None:  # nearly always: the message, and the end with it
            self.has_ended = True
            self.message(body)
        else:
            super().take(kind, body)

    def message(self, body: bytes) -> None:
        if not self.future.done():
            self.future.set_result(body)

    def end(self, error: ServiceError | None) -> None:
        self.has_ended = True
        if not self.future.done():
            self.future.set_result(error or InternalError("INTERNAL", f"{self.name} ended without an answer"))


class PendingItems(Pending, eq=False):
    """A stream of items."""

    loop: asyncio.AbstractEventLoop
    _items: deque[bytes] = msgspec.field(default_factory=deque)
    _error: ServiceError | None = None
    _held: int = 0
    _taken: Taken = msgspec.field(default_factory=Taken)
    _waiter: asyncio.Future[None] | None = None

    async def next(self) -> bytes | None:
        """Return the next item; None at the end of a stream that ended well."""
        while not self._items:
            if self.has_ended:
                if self._error is not None:
                    raise self._error
                return None
            self._waiter = self.loop.create_future()
            await self._waiter
        return self._items.popleft()

    def credit(self, item: bytes) -> int:
        """Count an item as taken; return what the peer is to be told, or 0."""
        self._held -= len(item) + ITEM_COST
        return self._taken.take(len(item))

    def message(self, body: bytes) -> None:
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
