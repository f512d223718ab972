"""
One connection, one exchange at a time; made and kept by `pool`.

    idle ──exchange──▶ sending ──▶ waiting ──head──▶ reading ──end──▶ idle, or closed
    any byte or EOF while idle, any fault, limit or cancellation in between: closed at once

What is sent once is never sent again: a server may have read it, and calls cost money. A connection that is found
closed before the first byte was written has sent nothing, so the pool takes another; from then on it is a `Reset`.
An answer that comes before the request's body has left ends the sending; the connection is not used again.
"""

from __future__ import annotations

import asyncio
import select
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, cast

from tollway_httpclient.deadlines import Deadlines
from tollway_httpclient.errors import HttpClientError, Reset
from tollway_httpclient.limits import JOINED, READ_BYTES, SLICE, Limits, Timeouts
from tollway_httpclient.response import Response
from tollway_httpclient.response_parser import ResponseParser

if TYPE_CHECKING:
    import ssl

    from tollway_httpclient.header_sieve import HeaderSieve

# a server that closes after so many seconds is not asked in the last one of them: its end could be under way
_AHEAD = 1.0


class Owner(Protocol):
    """Who keeps a connection."""

    def released(self, connection: Connection) -> None:
        """It is idle and may be used again."""

    def lost(self, connection: Connection) -> None:
        """It is closed."""


class Connection(asyncio.BufferedProtocol):
    """An `asyncio.BufferedProtocol`, over TCP or TLS alike; all connections of a loop may read into the same `room`."""

    def __init__(
        self,
        owner: Owner,
        loop: asyncio.AbstractEventLoop,
        limits: Limits,
        sieve: HeaderSieve,
        room: memoryview,
    ) -> None:
        self.loop = loop
        self.limits = limits
        self.tls: ssl.SSLObject | None = None
        self._owner, self._room = owner, room
        self._parser = ResponseParser(sieve)
        self.is_connected = False
        """True from the connect to the loss."""
        self._transport: asyncio.Transport
        self._response: Response | None = None
        """None: idle, or closed."""
        self._head: asyncio.Future[HttpClientError | None] | None = None
        self._taken: asyncio.Future[None] | None = None
        self._is_sending = self._is_full = self._is_paused = False
        self._deadlines = Deadlines(loop, self._fail)
        self._rested_at = 0.0

    async def exchange(
        self, head: bytes, body: bytes | memoryview, timeouts: Timeouts, is_head: bool = False
    ) -> Response:
        """Send a request and return once the head of its answer is there."""
        self._parser.begin(is_head)
        response = self._response = Response(self)
        answered = self._head = self.loop.create_future()
        self._deadlines.begin(timeouts)
        try:
            if len(body) <= JOINED:
                self._transport.write(head + body)
            else:
                await self._send(head, body, answered)
                if not answered.done():
                    self._deadlines.await_first(timeouts.first_byte)
            error = await answered
        except BaseException:
            if self._response is response:  # else it has ended, and the connection may be at the next one
                self.abort()
            raise
        if error is not None:
            raise error
        return response

    async def _send(
        self, head: bytes, body: bytes | memoryview, answered: asyncio.Future[HttpClientError | None]
    ) -> None:
        self._is_sending = True
        self._deadlines.await_next()
        rest = memoryview(body)
        while rest:
            if self._is_full:
                self._taken = self.loop.create_future()
                await self._taken
            if answered.done():
                return
            self._transport.writelines((head, rest[:SLICE]))
            head, rest = b"", rest[SLICE:]
        self._is_sending = False

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        response = self._response
        if response is None:
            self.abort()
            return
        parser = self._parser
        body = parser.feed(self._room[:nbytes])
        goes_on = parser.fault is None and not parser.is_complete
        if goes_on and response.status:  # neither the first read nor the last
            self._deadlines.heard_at = self.loop.time()
            if body:
                response.feed(body, nbytes)
            return
        if not response.status and parser.status:
            response.status = parser.status
            response.all_lines, response.lines, response.told = parser.all_lines, parser.lines, parser.told
            self._answered(None)
        if goes_on:
            self._deadlines.await_next()
        if body:
            response.feed(body, nbytes)
            if self._response is not response:  # its reader has closed it
                return
        if parser.fault is not None:
            self._fail(parser.fault)
        elif not goes_on:
            self._complete(response)

    def eof_received(self) -> None:
        self._parser.feed_eof()
        if self._response is not None and self._parser.is_complete:
            self._complete(self._response)
        else:
            self._fail(Reset("the server closed early"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadlines.cancel()
        self.is_connected = False
        self._fail(Reset(f"the connection was lost ({type(exc).__name__})"))
        self._owner.lost(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.is_connected = True
        self.tls = transport.get_extra_info("ssl_object")
        if self.tls is not None:
            cast("Any", transport).set_read_buffer_limits(READ_BYTES)  # it reads on while nobody takes it

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        if self._is_sending:
            self._deadlines.await_next()
        self._wake_sender()

    def pause_reading(self) -> None:
        """Leave in the socket what comes next; the server's silence is then no fault of its own."""
        if not (self._is_paused or self._parser.is_complete):
            self._is_paused = True
            self._deadlines.await_none()
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._deadlines.await_next()
            self._transport.resume_reading()

    def limit_stall(self, seconds: float) -> None:
        """Hold the answer that is being read to another limit."""
        self._deadlines.change_stall(seconds)
        if not self._is_paused:
            self._deadlines.await_next()

    def rest(self, seconds: float) -> None:
        """Be idle, and close after so many seconds, or before the server does."""
        kept = self._parser.kept_seconds
        if kept != inf:  # few servers tell
            seconds = min(seconds, kept - _AHEAD)
        self._rested_at = self._deadlines.rest(seconds)

    def is_usable(self, trusted_seconds: float) -> bool:
        """Say whether the server still holds its end, as far as it can be known here."""
        if self._transport.is_closing():
            return False
        if self.loop.time() - self._rested_at <= trusted_seconds:
            return True
        poll = select.poll()  # what the loop has not seen yet can only be an end
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not poll.poll(0)

    def abort(self) -> None:
        """Close at once; whoever still waits for an answer is told that it was reset."""
        self._fail(Reset("the connection was closed"))

    def _fail(self, error: HttpClientError) -> None:
        response, self._response = self._response, None
        if response is not None:
            if self._is_sending or self._is_full:
                error.is_sent = False
            self._answered(error)
            response.end(error)
        self._transport.abort()

    def _complete(self, response: Response) -> None:
        self._response = None
        response.end()
        if self._parser.is_reusable and not self._is_sending and not self._is_full:
            if self._is_paused:
                self.resume_reading()
            self._owner.released(self)
        else:
            self._transport.abort()

    def _answered(self, error: HttpClientError | None) -> None:
        if self._head is not None and not self._head.done():
            self._head.set_result(error)
            if self._is_sending:
                self._wake_sender()

    def _wake_sender(self) -> None:
        if self._taken is not None and not self._taken.done():
            self._taken.set_result(None)
