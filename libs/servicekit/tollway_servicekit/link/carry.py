"""What a link and the `Carry` stream under it are to each other, whoever speaks the stream: `http2`, or grpcio."""

from __future__ import annotations

from typing import Protocol, TypeAlias

Piece: TypeAlias = bytes | memoryview
"""A frame, or the header or the body of one."""


class CarryReader(Protocol):
    """A link, as its stream tells it what comes. Nothing of this waits."""

    def took(self, data: bytes, start: int, stop: int) -> None:
        """Take one message, whose frames are `data[start:stop]`."""

    def has_room(self) -> None:
        """Write the next message, after one whose `write` returned False."""

    def half_closed(self) -> None:
        """The other end sends no more, and still reads."""

    def going_away(self) -> None:
        """The other end wants no further calls on this stream."""

    def ended(self, code: int, why: str) -> None:
        """Take the stream's end, once: a status code of gRPC and its message."""


class Carry(Protocol):
    """A stream, as its link uses it."""

    def write(self, frames: list[Piece], length: int) -> bool:
        """Send frames of so many bytes in all as one message; where False, the next one waits for `has_room`."""

    def hold(self) -> None:
        """Read no more than what is under way."""

    def go_on(self) -> None:
        """Read again."""

    def finish(self, code: int = 0, why: str = "") -> None:
        """End this direction after what was written; at a server that is the end of the stream, and has a status."""

    def cancel(self) -> None:
        """End both directions now."""
