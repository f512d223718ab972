"""Puts a long message together; asked by both ends, of which neither keeps more for the other than a message may be."""

from __future__ import annotations

from tollway_servicekit.channel import MAX_MESSAGE_BYTES
from tollway_servicekit.link.frames import BrokenFrames

LEAST_PART_BYTES = 1024
"""A shorter part is refused: a message must not be kept in crumbs."""


class Parts:
    """The parts of one message, all but the last."""

    __slots__ = ("_length", "_pieces")

    def __init__(self) -> None:
        self._length = 0
        self._pieces: list[bytes] = []

    def add(self, piece: bytes) -> None:
        self._length += len(piece)
        if len(piece) < LEAST_PART_BYTES or self._length > MAX_MESSAGE_BYTES:
            raise BrokenFrames("a part is too short, or its message longer than any may be")
        self._pieces.append(piece)

    def join(self, last: bytes) -> bytes:
        """Return the whole message."""
        return b"".join((*self._pieces, last))
