"""What comes on a stream: its window, and what is kept while the link reads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_servicekit.link.http2.envelope import MessageReader
from tollway_servicekit.link.http2.wire import Http2Code, Http2Error, unpadded

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_BYTES = 4 * 1024 * 1024
"""What the peer may be ahead of a link, which reads at once unless it is held."""


class Incoming:
    """
    Counts the window, which is the same for the connection and its one stream.

    Args:
        deliver: Called with each message: bytes, and where in them its frames begin and end.
    """

    def __init__(self, deliver: Callable[[bytes, int, int], None]) -> None:
        self.is_held = False
        self._messages = MessageReader(deliver)
        self._window = WINDOW_BYTES
        self._kept = bytearray()
        self._used = 0

    def take(self, data: bytes, start: int, stop: int, flags: int) -> int:
        """Take the payload of a DATA frame; return how much the peer's window is to be opened again, or 0."""
        self._window -= stop - start
        self._used += stop - start
        if self._window < 0:
            raise Http2Error(Http2Code.FLOW_CONTROL_ERROR, "more came than the window lets in")
        if flags:
            start, stop = unpadded(data, start, stop, flags)
        if self.is_held:
            self._kept += memoryview(data)[start:stop]
            return 0
        self._messages.take(data, start, stop)
        return self._opened() if self._used >= WINDOW_BYTES // 2 else 0

    def go_on(self) -> int:
        """Deliver what was kept; return how much the window is to be opened again, or 0."""
        self.is_held = False
        kept, self._kept = bytes(self._kept), bytearray()
        self._messages.take(kept, 0, len(kept))
        return self._opened()

    def _opened(self) -> int:
        if self.is_held:  # by what was just delivered
            return 0
        used, self._used = self._used, 0
        self._window += used
        return used
