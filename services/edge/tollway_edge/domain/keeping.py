"""Streamed answers that are kept for the cache while they are sent: how much memory all of them together may hold."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

_size = attrgetter("size")

STEP_BYTES = 1024
"""An event has some hundred bytes."""


class Keeping:
    """
    All answers that are being kept; one for the process.

    Without room, an answer that has grown beyond an even share is let go when it grows on: it reaches its client as it
    would have, and is not cached. For one within its share the largest is let go. So small answers are cached however
    many large ones there are, a slow reader's does not stay for ever, and of many equal ones some come to their end.

    Args:
        most: Bytes of all answers, those that wait to be stored among them.
        waiting: Tells the bytes that wait to be stored.
        step: Bytes for which an answer that grows asks at a time.
    """

    def __init__(self, most: int, waiting: Callable[[], int], step: int = STEP_BYTES) -> None:
        self.step = step
        self.crowded_out = 0
        """Answers that were let go for want of room."""
        self._most = most
        self._waiting = waiting
        self._held = 0
        self._kept: set[Kept] = set()

    @property
    def bytes(self) -> int:
        return self._held + self._waiting()

    def begin(self, most: int) -> Kept:
        """Keep one more answer, of at most so many bytes; used in a `with` block."""
        kept = Kept(self, most)
        self._kept.add(kept)
        return kept

    def make_room(self, size: int, kept: Kept | None = None) -> None:
        """Let answers go until so many bytes more may be held, by one that is being kept or by one that waits."""
        if kept and self.bytes + size <= self._most:  # as a rule there is room, and a stream asks a few times
            return
        while self._held and self.bytes + size > self._most:
            is_beyond_share = kept is not None and kept.size * len(self._kept) > self._most
            crowded = kept if kept and is_beyond_share else max(self._kept, key=_size)
            self.crowd_out(crowded)
            if crowded is kept:
                return
        if kept and self.bytes + size > self._most:  # what waits leaves no room
            self.crowd_out(kept)

    def crowd_out(self, kept: Kept) -> None:
        self.crowded_out += 1
        kept.let_go()

    def hold(self, size: int) -> None:
        """Count bytes that an answer holds from now on; below 0: no longer."""
        self._held += size

    def forget(self, kept: Kept) -> None:
        self._kept.discard(kept)


class Kept:
    """The bytes of one answer; nothing once they are too many."""

    __slots__ = ("_is_let_go", "_keeping", "_most", "_pieces", "_room", "size")

    def __init__(self, keeping: Keeping, most: int) -> None:
        self.size = 0
        self._pieces: list[bytes] = []
        self._is_let_go = False
        """It is not kept any more."""
        self._keeping = keeping
        self._most = most
        self._room = 0
        """Bytes that it may hold without asking."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()

    def add(self, data: bytes) -> None:
        size = self.size + len(data)
        if size <= self._room or self._gets_room(size):
            self._pieces.append(data)
            self.size = size

    def _gets_room(self, size: int) -> bool:
        """Ask to hold so many bytes, and let go where that may not be."""
        if size > self._most:
            self.let_go()
        if not self._is_let_go:
            more = min(max(size, self._room + self._keeping.step), self._most) - self._room
            self._keeping.make_room(more, self)
        if self._is_let_go:
            return False
        self._room += more
        self._keeping.hold(more)
        return True

    def let_go(self) -> None:
        """Hold nothing from now on."""
        if not self._is_let_go:
            self._is_let_go = True
            self._pieces = []
            self._keeping.hold(-self._room)
            self._keeping.forget(self)
            self._room = 0

    def taken(self) -> bytes | None:
        """Return the answer and hold it no longer; None where it was not kept whole."""
        answer = None if self._is_let_go else b"".join(self._pieces)
        self.let_go()
        return answer
