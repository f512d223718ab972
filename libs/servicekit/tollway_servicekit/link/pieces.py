"""Bytes that come in pieces and are wanted as one; kept by `parts` and `http2.envelope`."""

from __future__ import annotations

from typing import cast

LEAST_KEPT_BYTES = 4096
"""Shorter pieces are copied together: an object for each would take more than they do."""


class Pieces:
    """Leaves a piece where it was read if that keeps at most as much again; others are copied."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces: list[memoryview | bytearray] = []

    def add(self, piece: memoryview) -> None:
        if len(piece) >= LEAST_KEPT_BYTES and 2 * len(piece) >= len(cast("bytes", piece.obj)):
            self._pieces.append(piece)
        elif self._pieces and isinstance(last := self._pieces[-1], bytearray):
            last += piece
        else:
            self._pieces.append(bytearray(piece))

    def join(self, last: bytes = b"") -> bytes:
        """Return all pieces and the last one as one."""
        return b"".join((*self._pieces, last))
