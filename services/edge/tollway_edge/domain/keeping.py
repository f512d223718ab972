"""Streamed answers that are kept for the cache while they are sent: how much memory all of them together may hold."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

_size = attrgetter("size")


class Keeping:
    """
    All answers that are being kept; one for the process.

    When there is no room, the largest is let go: it reaches its client as it would have, and is not cached.
    Most answers are small, so most are cached even then.

    Args:
        most: Bytes of all answers, those among them that wait to be stored.
        waiting: Tells the bytes that wait to be stored.
    """

    def __init__(self, most: int, waiting: Callable[[], int]) -> None:
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

    def make_room(self, size: int) -> bool:
        """Let answers go until so many bytes more may be held; False where that is not enough."""
        while self.bytes + size > self._most:
            if not self._held:
                return False
            max(self._kept, key=_size).let_go()
            self.crowded_out += 1
        return True

    def held(self, size: int) -> None:
        """Count bytes that an answer holds from now on, or no longer."""
        self._held += size

    def ended(self, kept: Kept) -> None:
        self._kept.discard(kept)


class Kept:
    """The bytes of one answer; nothing once they are too many."""

    __slots__ = ("_data", "_keeping", "_most", "size")

    def __init__(self, keeping: Keeping, most: int) -> None:
        self.size = 0
        self._data: bytearray | None = bytearray()
        """None: it is not kept any more."""
        self._keeping = keeping
        self._most = most

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()

    def add(self, data: bytes) -> None:
        if self._data is None:
            return
        size = len(data)
        if self.size + size > self._most:
            self.let_go()
        elif not self._keeping.make_room(size):
            self._keeping.crowded_out += 1
            self.let_go()
        elif self._data is not None:  # else it was the largest itself
            self._data += data
            self.size += size
            self._keeping.held(size)

    def let_go(self) -> None:
        """Hold nothing from now on."""
        if self._data is not None:
            self._data = None
            self._keeping.held(-self.size)
            self._keeping.ended(self)

    def taken(self) -> bytes | None:
        """Return the answer and hold it no longer; None where it was not kept whole."""
        answer = None if self._data is None else bytes(self._data)
        self.let_go()
        return answer
