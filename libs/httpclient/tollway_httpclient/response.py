"""
One answer as its reader sees it; made and filled by `connection`.

    waiting ──pieces──▶ ended, whole      read(), pieces() and pass_on() end; at_hand() has the rest
                    └─▶ ended, broken     pieces() and pass_on() give what came, then all raise why
    close() before the end, or a cancelled reader, breaks it and closes the connection at once
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_httpclient.errors import HttpClientError, MalformedResponse, Reset
from tollway_httpclient.header_sieve import pairs_of
from tollway_httpclient.limits import HIGH_WATER, READ_BYTES

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable

    from tollway_httpclient.connection import Connection
    from tollway_httpclient.head_shape import Headers


class Response:
    """An answer whose status and headers are there."""

    __slots__ = (
        *("all_lines", "lines", "status", "told"),
        *("_connection", "_error", "_failure", "_has_stopped", "_is_read_whole", "_max_body", "_parts", "_size"),
        *("_take_in", "_waiter"),
    )

    def __init__(self, connection: Connection) -> None:
        self.status = 0
        self.all_lines = self.lines = b""
        """The headers: as they came, and those that are handed on, written as `header_sieve` says."""
        self.told: Headers | tuple[()] = ()
        """`connection`, `keep-alive`, `transfer-encoding`, `content-encoding`, which are not among the latter."""
        self._connection: Connection | None = connection
        """None: the answer has ended."""
        self._error: HttpClientError | None = None
        self._max_body = connection.limits.max_body
        self._parts: list[bytes] = []
        self._size = 0
        self._is_read_whole = False
        self._waiter: asyncio.Future[None] | None = None
        self._take_in: Callable[[bytes], bool] | None = None
        """Takes what arrives within the read that brings it."""
        self._has_stopped = False
        """It wants no more for now."""
        self._failure: BaseException | None = None
        """What it raised."""

    @property
    def raw_headers(self) -> Headers:
        """All headers, names in lower case, in the order in which they came."""
        return pairs_of(self.all_lines)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers as text."""
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.raw_headers]

    @property
    def has_ended(self) -> bool:
        """Nothing more comes; what came may wait to be taken."""
        return self._connection is None

    def at_hand(self) -> bytes | None:
        """Return what `read` would where it need not wait, which spares its caller a coroutine; else None."""
        if self._connection is not None or self._error is not None or self._size > self._max_body:
            return None
        return self._take()

    async def read(self) -> bytes:
        """Return the whole body; one of more than `max_body` bytes is refused as malformed."""
        self._is_read_whole = True
        if self._connection is not None and self._size <= self._max_body:
            self._connection.resume_reading()
            await self._wait(self._connection)
        if self._size > self._max_body:
            self.close()
            raise MalformedResponse(f"a body of more than {self._max_body} bytes")
        if self._error is not None:
            raise self._error
        return self._take()

    async def piece(self) -> bytes:
        """Return what came since the last one, at least a byte; nothing at the body's end."""
        while not self._parts:
            if self._connection is None:
                if self._error is not None:
                    raise self._error
                return b""
            await self._wait(self._connection)
        if self._connection is not None:
            self._connection.resume_reading()
        return self._take()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives: what came in one read is one piece."""
        while piece := await self.piece():
            yield piece

    async def pass_on(self, take: Callable[[bytes], bool]) -> bool:
        """
        Give each piece to `take` until it says no, and return whether it did; not so at the body's end.

        A piece is taken within the read that brought it, which spares whoever waits here a wake-up for each; that of a
        full read, behind which there is more, waits for its turn.
        What `take` raises is raised here, and the connection is closed.
        """
        try:
            while piece := await self._next(take):
                if not take(piece):
                    return True
        except BaseException:
            self.close()
            raise
        return self._has_stopped

    async def _next(self, take: Callable[[bytes], bool]) -> bytes:
        """Return the next piece that was not taken as it came; nothing once `take` has said no, or at the end."""
        self._has_stopped = False
        if self._parts or self._connection is None:
            return await self.piece()
        self._take_in = take
        try:
            await self._wait(self._connection)
        finally:
            self._take_in = None
        if self._failure is not None:
            raise self._failure
        return b"" if self._has_stopped else await self.piece()

    def limit_stall(self, seconds: float) -> None:
        """Let at most so many seconds pass between two reads from here on, whatever the request's limits say."""
        if self._connection is not None:
            self._connection.limit_stall(seconds)

    def close(self) -> None:
        """Close the connection unless the body arrived to its end."""
        connection = self._connection
        if connection is not None:
            self._parts.clear()
            self.end(Reset("the answer was closed by its reader"))
            connection.abort()

    def feed(self, piece: bytes, read: int) -> None:
        """
        Take what arrived; called by the connection alone, as is `end`.

        Args:
            piece: At least a byte.
            read: The bytes of the read that brought it; where it was a full one there may be more.
        """
        take = self._take_in
        if take is not None and read < READ_BYTES and not self._parts:
            try:
                if take(piece):
                    return
            except BaseException as error:
                self._failure = error
            self._take_in, self._has_stopped = None, True
            self._wake()
            return
        self._parts.append(piece)
        self._size += len(piece)
        if self._is_read_whole and self._size <= self._max_body:
            return
        if self._size > HIGH_WATER and self._connection is not None:
            self._connection.pause_reading()
        if self._waiter is not None:
            self._wake()

    def end(self, error: HttpClientError | None = None) -> None:
        self._connection = None
        self._error = error
        if self._waiter is not None:
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self, connection: Connection) -> None:
        self._waiter = connection.loop.create_future()
        try:
            await self._waiter
        except BaseException:
            self.close()
            raise
        finally:
            self._waiter = None

    def _take(self) -> bytes:
        parts = self._parts
        taken = parts[0] if len(parts) == 1 else b"".join(parts)
        self._parts = []
        self._size = 0
        return taken
