"""The load generator: HTTP/1.1 connections on httptools, driven in a closed or an open loop; used by `measure`."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httptools

from bench.errors import BenchFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    Check = Callable[["Answer"], None]

# far above the slowest answer: whoever needs longer hangs
ANSWER_SECONDS = 60.0


@dataclass(slots=True)
class Answer:
    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


class Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time; an answer ends where its HTTP framing says so."""

    def __init__(self) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
        self._transport: Any = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._answer = Answer()

    async def ask(self, request: bytes) -> Answer:
        if self._transport.is_closing():
            raise BenchFailed("a connection was closed between two requests")
        self._answer = Answer()
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        self._transport.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"an answer is no HTTP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"a connection was closed before the answer was whole ({exc or 'end of file'})")

    # httptools

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        self._answer.pieces.append(data)

    def on_message_complete(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting and not waiting.done():
            waiting.set_result(self._answer)

    def _fail(self, reason: str) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting and not waiting.done():
            waiting.set_exception(BenchFailed(reason))


@asynccontextmanager
async def connected(host: str, port: int, count: int) -> AsyncIterator[list[Connection]]:
    loop = asyncio.get_running_loop()
    connections: list[Connection] = []
    try:
        for _ in range(count):
            _, connection = await loop.create_connection(Connection, host, port)
            connections.append(connection)
        yield connections
    finally:
        for connection in connections:
            connection.close()


async def closed_loop(connections: Sequence[Connection], requests: Iterable[bytes], check: Check) -> float:
    """Send everything, each connection its next request after its last answer; return the seconds that it took."""
    waiting = iter(requests)

    async def drive(connection: Connection) -> None:
        for request in waiting:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await connection.ask(request)
            check(answer)

    started = time.perf_counter()
    await _together(drive(connection) for connection in connections)
    return time.perf_counter() - started


async def open_loop(
    connections: Sequence[Connection], requests: Sequence[bytes], rate: float, check: Check
) -> list[float]:
    """Send `rate` requests a second, answered or not; return the seconds of each, waiting for a connection included."""
    free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
    for connection in connections:
        free.put_nowait(connection)
    seconds: list[float] = []

    async def ask(request: bytes, due: float) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            connection = await free.get()
            answer = await connection.ask(request)
        seconds.append(time.perf_counter() - due)
        free.put_nowait(connection)
        check(answer)

    async def at(delay: float, request: bytes) -> None:
        await asyncio.sleep(delay)
        await ask(request, time.perf_counter())

    await _together(at(number / rate, request) for number, request in enumerate(requests))
    return seconds


async def _together(jobs: Iterable[Any]) -> None:
    try:
        await asyncio.gather(*jobs)
    except TimeoutError:
        raise BenchFailed(f"an answer took longer than {ANSWER_SECONDS:.0f} s") from None
