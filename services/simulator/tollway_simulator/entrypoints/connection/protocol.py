"""An HTTP connection with what ASGI has no word for: closing in the middle of an answer, ready-made header lines."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

CONNECTION_EXTENSION = "tollway.connection"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""What SO_LINGER is told: wait for nothing."""


class Connection:
    """The transport that uvicorn writes to."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._lines: bytes | None = None
        self._is_joined = False
        self._head = b""
        self.is_closing = transport.is_closing  # asked for with every request

    def expect_head(self, lines: bytes, *, is_joined: bool) -> None:
        """
        Say that the next write is the head of an answer.

        Args:
            lines: Header lines to add, each with its line end; uvicorn would look at every header of every answer.
            is_joined: The first of the body follows at once and leaves together with the head.
        """
        self._lines = lines
        self._is_joined = is_joined

    def write(self, data: bytes) -> None:
        if self._lines is not None:
            data = data[:-2] + self._lines + b"\r\n"
            self._lines = None
            if self._is_joined:
                self._head = data
                return
        elif self._head:
            data = self._head + data
            self._head = b""
        self._transport.write(data)

    def close(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = b""
        self._transport.close()

    def reset(self) -> None:
        """Close the connection with a TCP reset."""
        if self._head:
            self._transport.write(self._head)
            self._head = b""
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._transport.abort()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class ConnectionProtocol(HttpToolsProtocol):
    """uvicorn's protocol with the connection itself as an extension in each request's scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Connection(transport))  # type: ignore[arg-type]

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION_EXTENSION: self.transport}  # type: ignore[dict-item]
