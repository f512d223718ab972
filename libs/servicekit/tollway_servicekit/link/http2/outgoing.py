"""What leaves on a stream: whole messages where the peer's windows let them, and the rest as they open."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tollway_servicekit.link.http2.envelope import envelope
from tollway_servicekit.link.http2.framing import MOST_FRAME_BYTES
from tollway_servicekit.link.http2.wire import (
    DATA,
    DEFAULT_FRAME_BYTES,
    DEFAULT_WINDOW,
    INITIAL_WINDOW_SIZE,
    LARGEST_FRAME_BYTES,
    LARGEST_WINDOW,
    MAX_FRAME_SIZE,
    STREAM,
    Http2Code,
    Http2Error,
    frame_header,
)

if TYPE_CHECKING:
    import asyncio

    from tollway_servicekit.link.carry import Piece

JOINED_BYTES = 16 * 1024
"""A message up to this size is joined, which costs less than to hand its pieces to the system."""


class Outgoing:
    """
    Keeps at most one message that the peer has no room for.

    Args:
        transport: Where to.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self.is_paused = False
        """Whether the transport asked to be spared."""
        self._transport = transport
        self._of_connection = self._of_stream = self._initial = DEFAULT_WINDOW
        self._most = DEFAULT_FRAME_BYTES
        self._left: deque[Piece] = deque()
        self._left_bytes = 0
        self._last = b""
        """What ends the stream, once all else has left."""
        self.has_ended = False

    @property
    def is_free(self) -> bool:
        """Whether another message may be written."""
        return not self._left_bytes and not self.is_paused

    def write(self, frames: list[Piece], length: int) -> bool:
        """Send a message; say whether another one may follow."""
        head = envelope(length)
        size = len(head) + length
        if size <= self._most and size <= self._of_connection and size <= self._of_stream and not self._left_bytes:
            self._of_connection -= size
            self._of_stream -= size
            begin = frame_header(size, DATA, 0, STREAM) + head
            if size <= JOINED_BYTES:
                self._transport.write(b"".join((begin, *frames)))
            else:
                self._transport.writelines((begin, *frames))
            return not self.is_paused
        # more than one message waits only where a link's end is told in spite of them
        self._left += (head, *frames)
        self._left_bytes += size
        self.go_on()
        return self.is_free

    def finish(self, last: bytes) -> None:
        """Send the frame that ends the stream, after all that was written."""
        self._last = last
        self.go_on()

    def go_on(self) -> None:
        """Send what the windows let through now."""
        while self._left_bytes and not self.is_paused:
            size = min(self._left_bytes, self._most, self._of_connection, self._of_stream)
            if size <= 0:
                return
            self._of_connection -= size
            self._of_stream -= size
            self._transport.writelines((frame_header(size, DATA, 0, STREAM), *self._taken(size)))
        if self._last and not self._left_bytes and not self.has_ended:
            self.has_ended = True
            self._transport.write(self._last)

    def _taken(self, size: int) -> list[Piece]:
        """Take so many bytes off what waits, where they are."""
        self._left_bytes -= size
        taken: list[Piece] = []
        while size:
            piece = self._left.popleft()
            if len(piece) > size:
                view = memoryview(piece)
                self._left.appendleft(view[size:])
                piece = view[:size]
            taken.append(piece)
            size -= len(piece)
        return taken

    def widen(self, stream: int, count: int) -> None:
        """Take a WINDOW_UPDATE."""
        if count == 0:
            raise Http2Error(Http2Code.PROTOCOL_ERROR, "a window was opened by nothing")
        if stream == 0:
            self._of_connection += count
        elif stream == STREAM:
            self._of_stream += count
        if max(self._of_connection, self._of_stream) > LARGEST_WINDOW:
            raise Http2Error(Http2Code.FLOW_CONTROL_ERROR, "a window was opened too wide")

    def take_setting(self, name: int, value: int) -> None:
        if name == INITIAL_WINDOW_SIZE:
            if value > LARGEST_WINDOW or self._of_stream + value - self._initial > LARGEST_WINDOW:
                raise Http2Error(Http2Code.FLOW_CONTROL_ERROR, "the window of streams is too wide")
            self._of_stream += value - self._initial
            self._initial = value
        elif name == MAX_FRAME_SIZE:
            if not DEFAULT_FRAME_BYTES <= value <= LARGEST_FRAME_BYTES:
                raise Http2Error(Http2Code.PROTOCOL_ERROR, "the limit of frames is out of range")
            self._most = min(value, MOST_FRAME_BYTES)  # what the transport keeps is bounded by this, too
