"""One HTTP exchange on ASGI, as the pipeline's `Client`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tollway_edge.domain.errors import GatewayError, GatewayErrorKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from tollway_edge.domain.ports import RawHeaders

    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


# most calls that a cache or a fast provider answers are over by then, and need no task to watch them
WATCH_AFTER_SECONDS = 0.02


class Exchange:
    """
    A request to read and a response to write.

    From the end of the request's body on it watches the connection: when the client leaves, the task that serves it
    is cancelled at once, and with it the upstream call.
    """

    def __init__(self, receive: Receive, send: Send, max_body_bytes: int, declared_bytes: int) -> None:
        self.has_left = False
        self._receive = receive
        self._send = send
        self._max_body_bytes = max_body_bytes
        self._declared_bytes = declared_bytes
        self._serving: asyncio.Task[Any] | None = None
        self._watch_start: asyncio.TimerHandle | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def read_body(self) -> bytes:
        if self._declared_bytes > self._max_body_bytes:
            raise self._too_large()
        message = await self._receive()
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            body = await self._read_on(bytearray(body))
        if message["type"] == "http.disconnect":
            self._cancel()
        if len(body) > self._max_body_bytes:
            raise self._too_large()
        self._serving = serving = asyncio.current_task()
        if serving:
            self._watch_start = serving.get_loop().call_later(WATCH_AFTER_SECONDS, self._start_watching)
        return body

    async def send_whole(self, status: int, headers: RawHeaders, body: bytes) -> None:
        self.stop_watching()
        length = (b"content-length", b"%d" % len(body))
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
        await self._send({"type": "http.response.body", "body": body})

    async def begin(self, status: int, headers: RawHeaders) -> None:
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def send(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        self.stop_watching()
        await self._send({"type": "http.response.body", "body": b""})

    def stop_watching(self) -> None:
        # before an answer's last bytes: behind them ASGI reports a disconnect whether the client left or not
        if self._watch_start:
            self._watch_start.cancel()
        if self._watcher:
            self._watcher.cancel()

    def _start_watching(self) -> None:
        self._watcher = asyncio.create_task(self._watch())

    async def _read_on(self, body: bytearray) -> bytes:
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._cancel()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._max_body_bytes:
                raise self._too_large()
        return bytes(body)

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.has_left = True
        if self._serving:
            self._serving.cancel("the client left")

    def _cancel(self) -> None:
        self.has_left = True
        raise asyncio.CancelledError("the client left")

    def _too_large(self) -> GatewayError:
        message = f"the request body is larger than {self._max_body_bytes} bytes, the most that this gateway takes"
        return GatewayError(GatewayErrorKind.TOO_LARGE, "BODY_TOO_LARGE", message)
