"""
One HTTP exchange on a connection, as the pipeline's `Client`.

    read_body → (answer | send_whole → end? | begin → send* → send_last? → end)

The connection feeds it the request and tells it when the client leaves; it writes its answer straight to the transport.
"""

from __future__ import annotations

import asyncio
import struct
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING

import msgspec

from tollway_edge.domain.errors import GatewayError, GatewayErrorKind
from tollway_edge.entrypoints.request_body import plain_body
from tollway_edge.entrypoints.response_head import response_head

if TYPE_CHECKING:
    from tollway_edge.entrypoints.connection import EdgeConnection
    from tollway_edge.entrypoints.request_head import RequestHead

_AT_ONCE = struct.pack("ii", 1, 0)
_CLOSE = b"connection: close\r\n"
_CHUNKED = b"transfer-encoding: chunked\r\n"


class Exchange(msgspec.Struct, eq=False):
    """A request to read and an answer to write; a struct, since each request makes one."""

    _connection: EdgeConnection
    head: RequestHead
    keep_alive: bool
    is_read: bool = False
    """The request is here to its last byte."""
    is_begun: bool = False
    ends_with_connection: bool = False
    """The proper end of the connection is all that tells the end of the answer."""
    is_answered: bool = False
    serving: asyncio.Task[None] | None = None
    received: int = 0
    """Bytes of the body that came so far."""
    parts: list[bytes] = []
    """Of the body, as they came."""
    _is_asked_for: bool = False
    """A client that waits to be told to send its body was told."""
    _is_chunked: bool = False
    _reading: asyncio.Future[None] | None = None
    _refusal: GatewayError | None = None

    def __repr__(self) -> str:
        return f"Exchange(is_read={self.is_read}, is_answered={self.is_answered})"  # and nothing of what was asked

    # the connection's side; `response_complete` is uvicorn's name

    @property
    def response_complete(self) -> bool:
        return self.is_answered

    def feed(self, data: bytes) -> None:
        """Take a part of the body; what is too much is counted and dropped."""
        self.received += len(data)
        if self.received > self._connection.limits.max_body_bytes:
            self.parts.clear()
            self.refuse(self._too_large())
        elif not self.is_answered:
            self.parts.append(data)

    def finish(self) -> None:
        """Note that the request is here whole."""
        self.is_read = True
        self._wake()

    def refuse(self, error: GatewayError) -> None:
        """Let `read_body` raise."""
        self._refusal = self._refusal or error
        self._wake()

    def leave(self) -> None:
        """The client left: stop serving it at once, and with it the upstream call."""
        if self.serving and not self.is_answered:
            self.serving.cancel("the client left")

    def over(self) -> None:
        """Note that nobody serves it any more; an answer that has not ended never will."""
        connection = self._connection
        connection.tasks.discard(self.serving)
        if not self.is_answered and not connection.transport.is_closing():
            self._cut_off(connection.transport)

    def _cut_off(self, transport: asyncio.Transport) -> None:
        """End the connection under an answer that cannot be ended: it must not look as if it had."""
        if self.ends_with_connection:  # only a reset is no proper end of it
            transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, _AT_ONCE)
            transport.abort()
        else:
            transport.close()

    # the pipeline's side

    def body_at_hand(self) -> bytes | None:
        if not self.is_read or self._refusal or not self.head.headers.is_plain_json:
            return None
        return self._taken_parts()

    async def read_body(self) -> bytes:
        headers, most = self.head.headers, self._connection.limits.max_body_bytes
        if headers.content_length > most:
            raise self._too_large()
        if not (self.is_read or self._refusal):
            await self._arrival()
        if self._refusal:
            raise self._refusal
        body = self._taken_parts()
        return body if headers.is_plain_json else plain_body(body, headers, most)

    def _taken_parts(self) -> bytes:
        parts = self.parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        return body

    async def _arrival(self) -> None:
        if self.head.headers.expects_continue and not self.received:
            self._connection.outgoing.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._is_asked_for = True
        self._reading = self._connection.loop.create_future()
        await self._reading

    async def answer(self, status: int, header_lines: bytes, body: bytes) -> None:
        if not self.send_whole(status, header_lines, body):
            await self.end()

    def send_whole(self, status: int, header_lines: bytes, body: bytes) -> bool:
        length = b"content-length: %d\r\n" % len(body)
        sent = body if self.head.method != b"HEAD" else b""
        self.is_begun = True
        connection = self._connection
        connection.outgoing.write(response_head(status, header_lines, length, self._connection_lines(), sent))
        if connection.flow.write_paused:
            return False
        self._close()
        return True

    async def begin(self, status: int, header_lines: bytes) -> None:
        self._is_chunked = self.head.can_chunk
        self.keep_alive &= self._is_chunked
        framing = _CHUNKED if self._is_chunked else b""
        head = response_head(status, header_lines, framing, self._connection_lines())
        self.is_begun = True
        self.ends_with_connection = not self._is_chunked
        self._connection.outgoing.put(head)

    def send(self, data: bytes) -> bool:
        return self._connection.outgoing.send(b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data)

    def send_last(self, data: bytes) -> bool:
        return self._connection.outgoing.put(b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data)

    async def drained(self) -> None:
        flow = self._connection.flow
        if flow.write_paused:
            await flow.drain()

    async def end(self) -> None:
        outgoing = self._connection.outgoing
        if self._is_chunked:
            outgoing.put(b"0\r\n\r\n")
        outgoing.flush()
        await self.drained()
        self._close()

    def _connection_lines(self) -> bytes:
        # a client that was not told to go on may send its body or not: what follows could be either
        if not (self.is_read or self._is_asked_for) and self.head.headers.expects_continue:
            self.keep_alive = False
        return b"" if self.keep_alive else _CLOSE

    def _close(self) -> None:
        self.is_answered = True
        if not self.keep_alive:
            self._connection.transport.close()
        self._connection.on_response_complete()

    def _wake(self) -> None:
        if self._reading and not self._reading.done():
            self._reading.set_result(None)

    def _too_large(self) -> GatewayError:
        most = self._connection.limits.max_body_bytes
        message = f"the request body is larger than {most} bytes: send less, or raise edge.max_body_bytes"
        return GatewayError(GatewayErrorKind.TOO_LARGE, "BODY_TOO_LARGE", message)
