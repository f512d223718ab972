"""
What leaves on one connection: at once where it is alone, in one write with whatever else the loop's turn brings.

Used by `exchange` for its answers; `connection` makes one, and looks at what was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

MOST_UNSENT_BYTES = 8192
"""What is gathered for one write, and what may wait for a client to take it; either give or take one piece."""


class Outgoing:
    """
    Bytes on their way to a client.

    Args:
        loop: Whose turns count.
        transport: Where they go.
        flow: Knows whether the client takes them; uvicorn's.
    """

    __slots__ = ("_flow", "_gathered", "_gathered_bytes", "_loop", "_transport", "_written_at", "written")

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, flow: Any) -> None:
        self.written = 0
        """Bytes that were given to the transport."""
        self._loop, self._transport, self._flow = loop, transport, flow
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._written_at = 0.0
        transport.set_write_buffer_limits(MOST_UNSENT_BYTES)

    def write(self, data: bytes) -> None:
        self.written += len(data)
        self._transport.write(data)

    def send(self, data: bytes) -> bool:
        """Write the first of a turn at once, and gather what follows it; false: the client is behind."""
        now = self._loop.time()  # uvloop's stands still while the loop turns
        if self._gathered or now == self._written_at or self._transport.is_closing():
            return self.put(data)
        self._written_at = now
        self.written += len(data)  # as `write` does, in place: every event of a paced stream comes here
        self._transport.write(data)
        return not self._flow.write_paused

    def put(self, data: bytes) -> bool:
        """Write at the end of the loop's turn, with what else it brings; false: the client is behind."""
        if not self._gathered:
            self._loop.call_soon(self.flush)
        self._gathered.append(data)
        self._gathered_bytes += len(data)
        if self._gathered_bytes > MOST_UNSENT_BYTES:
            self.flush()
        return not self._flow.write_paused

    def flush(self) -> None:
        if self._gathered and not self._transport.is_closing():
            self.write(b"".join(self._gathered))
        self._gathered.clear()
        self._gathered_bytes = 0
