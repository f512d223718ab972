"""One HTTP request and its answer, with the client's disconnect noticed at any moment; used by every route."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from tollway_simulator.domain.faces import split_face
from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.entrypoints.connection.protocol import CONNECTION_EXTENSION
from tollway_simulator.entrypoints.connection.wire import dressing_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tollway_simulator.domain.script import Script
    from tollway_simulator.entrypoints.connection.protocol import Connection
    from tollway_simulator.entrypoints.connection.wire import Dressing

MAX_BODY_BYTES = 32 * 1024 * 1024

JSON = b"content-type: application/json\r\n"
EVENTS = b"content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
HTML = b"content-type: text/html\r\n"
TEXT = b"content-type: text/plain; charset=utf-8\r\n"

Headers = tuple[tuple[bytes, bytes], ...]


class ClientGone(Exception):
    """The connection is closed; `at` is when it was noticed, or None where the simulator itself closed it."""

    def __init__(self, at: float | None) -> None:
        super().__init__("the connection is closed")
        self.at = at


class Exchange:
    """Reads and answers one request. Every wait ends in `ClientGone` as soon as the connection closes."""

    def __init__(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        self.full_path: str = scope["path"]
        self.face, self.path = split_face(self.full_path)
        self.method: str = scope["method"]
        self.query: bytes = scope["query_string"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.status = 0
        self.account = ""
        """Fingerprint of the key."""
        self.head_lines = b""
        """Headers of every answer of the provider's, as they are on the wire."""
        self._receive = receive
        self._send = send
        self._connection: Connection = scope["extensions"][CONNECTION_EXTENSION]
        self._is_cut = False
        self._gone: asyncio.Task[float] | None = None
        self._dressing: Dressing | None = None

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")

    async def read_body(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.request" and not message["more_body"]:
            body: bytes = message["body"]
            return body
        parts: list[bytes] = []
        size = 0
        while message["type"] == "http.request":
            size += len(message["body"])
            if size > MAX_BODY_BYTES:
                raise Refusal(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
            parts.append(message["body"])
            if not message["more_body"]:
                return b"".join(parts)
            message = await self._receive()
        raise ClientGone(None if self._is_cut else time.time())

    async def pause(self, seconds: float | None, *, unless: asyncio.Future[None] | None = None) -> None:
        """Wait, for ever where seconds is None; shorter where the given future is done earlier."""
        if self._gone is None:
            self._gone = asyncio.create_task(self._watch())
        awaited: set[asyncio.Future[Any]] = {self._gone} if unless is None else {self._gone, unless}
        await asyncio.wait(awaited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self._gone.done():
            raise ClientGone(None if self._is_cut else self._gone.result())

    async def _watch(self) -> float:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        return time.time()

    def dress(self, script: Script) -> None:
        """Change how the answer looks on the wire: compressed, in small writes, under another content type."""
        self._dressing = dressing_for(script, self.headers)

    async def start(
        self, status: int, lines: bytes, length: int | None = None, headers: Headers = (), *, is_joined: bool = True
    ) -> None:
        """
        Send the head.

        Args:
            status: HTTP status.
            lines: Header lines that say what the body is.
            length: Of the body, where it is known.
            headers: More of them.
            is_joined: The first of the body follows at once, so both leave together.
        """
        self.status = status
        if self._dressing is not None:
            lines, length, headers = self._dressing.head(lines, length, headers)
        self._connection.expect_head(self.head_lines + lines, is_joined=is_joined and self.method != "HEAD")
        if length is not None:
            headers = ((b"content-length", b"%d" % length), *headers)
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes, *, more: bool) -> None:
        if self._dressing is None:
            await self._send({"type": "http.response.body", "body": data, "more_body": more})
            return
        pieces = self._dressing.pieces(data, is_last=not more)
        for index, piece in enumerate(pieces):
            if index:
                await self.pause(0)
            is_last = not more and index == len(pieces) - 1
            await self._send({"type": "http.response.body", "body": piece, "more_body": not is_last})

    async def respond(self, status: int, body: bytes, headers: Headers = (), lines: bytes = JSON) -> None:
        await self.start(status, lines, len(body), headers)
        await self.write(body, more=False)

    def close(self) -> None:
        """Close the connection after what was written, whatever is missing."""
        self._is_cut = True
        self._connection.close()

    async def cut(self, *, is_reset: bool = False) -> None:
        """Close the connection, or reset it, and end the exchange."""
        if is_reset:
            self._is_cut = True
            self._connection.reset()
        else:
            self.close()
        await self.pause(None)
