"""One HTTP request and its answer, with the client's disconnect noticed at any moment; used by every route."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.entrypoints.protocol import CLOSE_EXTENSION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

MAX_BODY_BYTES = 32 * 1024 * 1024

JSON_HEADERS = ((b"content-type", b"application/json"),)
SSE_HEADERS = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache"))

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
        self.path: str = scope["path"]
        self.method: str = scope["method"]
        self.query: bytes = scope["query_string"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.status = 0
        self._receive = receive
        self._send = send
        self._close = scope["extensions"][CLOSE_EXTENSION]["close"]
        self._is_cut = False
        self._gone: asyncio.Task[float] | None = None

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

    async def start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def respond(self, status: int, body: bytes, headers: Headers = ()) -> None:
        await self.start(status, (*JSON_HEADERS, (b"content-length", b"%d" % len(body)), *headers))
        await self.write(body, more=False)

    def close(self) -> None:
        """Close the connection after what was written, whatever is missing."""
        self._is_cut = True
        self._close()

    async def cut(self) -> None:
        """Close the connection and end the exchange."""
        self.close()
        await self.pause(None)
