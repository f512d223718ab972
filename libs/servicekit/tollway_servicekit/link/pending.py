"""Calls in flight as their caller sees them: what the link's reader hands over, and what the caller awaits."""

from __future__ import annotations

import asyncio
from collections import deque
from math import inf

import msgspec

from tollway_servicekit.errors import InternalError, ServiceError
from tollway_servicekit.link.flow import ITEM_COST, WINDOW_BYTES, Taken
from tollway_servicekit.link.frames import ANSWER, END, ITEM, PART, BrokenFrames
from tollway_servicekit.link.parts import Parts
from tollway_servicekit.status import from_status


class _Call(msgspec.Struct, eq=False, kw_only=True):
    """What both kinds of calls share: parts are put together, and time limit and number are kept."""

    name: str
    timeout: float | None
    number: int = 0
    due: float = inf
    """In the loop's time."""
    has_ended: bool = False
    parts: Parts | None = None

    def keep(self, part: bytes) -> None:
        """Keep a part of the message that comes next."""
        if self.parts is None:
            self.parts = Parts()
        self.parts.add(part)

    def whole(self, last: bytes) -> bytes:
        """Return the message that ends so, with the parts that came before."""
        if self.parts is None:
            return last
        parts, self.parts = self.parts, None
        return parts.join(last)


class PendingAnswer(_Call, eq=False):
    """A unary call. An error is a result too: a caller that was cancelled would never fetch an exception."""

    future: asyncio.Future[bytes | ServiceError]

    def take(self, kind: int, body: bytes) -> None:
        """Take one frame from the peer."""
        if kind in (ANSWER, ITEM):
            if kind == ANSWER:
                self.has_ended = True
            if not self.future.done():
                self.future.set_result(body if self.parts is None else self.whole(body))
        elif kind == PART:
            self.keep(body)
        elif kind == END:
            self.end(from_status(body) if body else None)

    def end(self, error: ServiceError | None) -> None:
        """Take the call's end; None where it ended well."""
        self.has_ended = True
        if not self.future.done():
            self.future.set_result(error or InternalError("INTERNAL", f"{self.name} ended without an answer"))


class PendingItems(_Call, eq=False):
    """A stream of items."""

    loop: asyncio.AbstractEventLoop
    _items: deque[bytes] = msgspec.field(default_factory=deque)
    _error: ServiceError | None = None
    _held: int = 0
    _taken: Taken = msgspec.field(default_factory=Taken)
    _waiter: asyncio.Future[None] | None = None

    def take(self, kind: int, body: bytes) -> None:
        """Take one frame from the peer."""
        if kind in (ITEM, ANSWER):
            self._add(self.whole(body))
            if kind == ANSWER:
                self.end(None)
        elif kind == PART:
            self.keep(body)
        elif kind == END:
            self.end(from_status(body) if body else None)

    def end(self, error: ServiceError | None) -> None:
        """Take the call's end; None where it ended well."""
        if not self.has_ended:
            self.has_ended = True
            self._error = error
            self._wake()

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

    def _add(self, body: bytes) -> None:
        if self._held >= WINDOW_BYTES:
            raise BrokenFrames("an item came that its reader had no room for")
        self._held += len(body) + ITEM_COST
        self._items.append(body)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


Pending = PendingAnswer | PendingItems
