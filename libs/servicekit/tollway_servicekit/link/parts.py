"""Long messages in parts; asked by both ends, of which neither keeps more for the other than a message may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_servicekit.channel import MAX_MESSAGE_BYTES
from tollway_servicekit.link.frames import CALL, PART, BrokenFrames, header
from tollway_servicekit.link.pieces import Pieces

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_servicekit.link.pending import Pending

LEAST_PART_BYTES = 1024
"""A shorter part is refused: a message must not be kept in crumbs."""


class Parts:
    """The parts of one message, all but the last."""

    __slots__ = ("_length", "_pieces")

    def __init__(self) -> None:
        self._length = 0
        self._pieces = Pieces()

    def add(self, part: bytes | memoryview) -> None:
        self._length += len(part)
        if len(part) < LEAST_PART_BYTES or self._length > MAX_MESSAGE_BYTES:
            raise BrokenFrames("a part is too short, or its message longer than any may be")
        self._pieces.add(memoryview(part))

    def join(self, last: bytes) -> bytes:
        """Return the whole message."""
        return self._pieces.join(last)


def heads_of_parts(call: Pending, opening: bytes, begun: bytes) -> Callable[[int, bool], bytes]:
    """Return what `Writer.send_long` asks for a request, of which `begun` goes before all parts."""

    def head(length: int, is_last: bool) -> bytes:
        nonlocal begun
        if call.has_ended:
            return b""
        start, begun = (opening + begun if is_last else begun), b""
        return header(call.number, CALL if is_last else PART, len(start) + length) + start

    return head
