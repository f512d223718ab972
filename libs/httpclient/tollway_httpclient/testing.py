"""
A connection that is fed by hand, without a socket and without a running loop; for tests.

    connection, sock = connect()
    asking = connection.exchange(b"GET / HTTP/1.1\\r\\n\\r\\n", b"", NO_LIMITS)
    asking.send(None)                                   # runs until it waits
    connection.data_received(b"HTTP/1.1 204 …")
    response = result_of(asking)
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar, cast

from tollway_httpclient.connection import Connection
from tollway_httpclient.errors import HttpClientError
from tollway_httpclient.header_sieve import HeaderSieve
from tollway_httpclient.limits import READ_BYTES, Limits, Timeouts

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from random import Random

    from tollway_httpclient.response import Response

Result = TypeVar("Result")

NO_LIMITS = Timeouts(first_byte=inf, stall=inf)


class StillLoop:
    """What a connection wants of a loop; time does not pass."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.close()

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self._loop)

    def time(self) -> float:
        return 0.0


@dataclass
class Socket:
    """What a connection wants of its transport, and of its pool."""

    written: bytes = b""
    is_aborted: bool = False
    is_reading: bool = True
    released_times: int = 0
    on_write: Callable[[], None] | None = None

    def write(self, data: bytes) -> None:
        self.written += data
        if self.on_write:
            self.on_write()

    def writelines(self, parts: Iterable[bytes]) -> None:
        self.write(b"".join(parts))

    def abort(self) -> None:
        self.is_aborted = True

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True

    def get_extra_info(self, name: str) -> None:
        return None

    def released(self, connection: Connection) -> None:
        self.released_times += 1

    def lost(self, connection: Connection) -> None:
        return None


@dataclass
class Seen:
    """All that a caller sees of one exchange."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    error: type[HttpClientError] | None = None
    is_kept: bool = False
    """The connection may carry another request."""
    lines: bytes = field(default=b"", compare=False)
    """What is handed on of the headers."""


class FedConnection(Connection):
    """Takes bytes as if a loop had read them."""

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), READ_BYTES):
            read = data[start : start + READ_BYTES]
            self.get_buffer(-1)[: len(read)] = read
            self.buffer_updated(len(read))


_LOOP = StillLoop()


def connect() -> tuple[FedConnection, Socket]:
    """Return a connection and both ends of it that are not the connection's own."""
    sock = Socket()
    loop, room = cast("asyncio.AbstractEventLoop", _LOOP), memoryview(bytearray(READ_BYTES))
    connection = FedConnection(sock, loop, Limits(), HeaderSieve(), room)
    connection.connection_made(cast("asyncio.BaseTransport", sock))
    return connection, sock


def result_of(step: Coroutine[Any, Any, Result]) -> Result:
    """Return what something gives that has nothing to wait for any more."""
    try:
        step.send(None)
    except StopIteration as done:
        return cast("Result", done.value)
    raise AssertionError("it waits on, and nothing more will come")


def read_answer(pieces: list[bytes]) -> Seen:
    """Ask, feed an answer in these pieces and then the connection's end, and read all that there is to be read."""
    connection, sock = connect()
    asking = connection.exchange(b"GET / HTTP/1.1\r\n\r\n", b"", NO_LIMITS)
    asking.send(None)
    for data in pieces:
        if not sock.is_aborted and not sock.released_times:
            connection.data_received(data)
    seen = Seen(is_kept=sock.released_times == 1 and not sock.is_aborted)
    connection.eof_received()
    connection.connection_lost(None)
    try:
        response = result_of(asking)
    except HttpClientError as error:
        seen.error = type(error)
        return seen
    seen.status, seen.headers, seen.lines = response.status, response.headers, response.lines
    seen.body, seen.error = result_of(read_whole(response))
    return seen


async def read_whole(response: Response) -> tuple[bytes, type[HttpClientError] | None]:
    """Return an answer's body as far as it came, and what broke it."""
    body = bytearray()
    try:
        async for piece in response.pieces():
            body += piece
    except HttpClientError as error:
        return bytes(body), type(error)
    return bytes(body), None


_PROVOKING = (
    *(b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"-1\r\n", b"0\r\n\r\n", b"\r\n\r\n"),
    *(b"transfer-encoding: chunked\r\n", b"content-length: 3\r\n", b"connection: close\r\n"),
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 101 X\r\n\r\n"),
)


def mutate(stream: bytes, source: Random) -> bytes:
    """Change, take out, put in or repeat a few bytes of an answer."""
    data = bytearray(stream)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(data) + 1)
        kind = source.randrange(5)
        if kind == 0 and at < len(data):
            data[at] = source.randrange(256)
        elif kind == 1:
            del data[at : at + source.randint(1, 8)]
        elif kind == 2:
            data[at:at] = bytes(source.randrange(256) for _ in range(source.randint(1, 4)))
        elif kind == 3:
            data[at:at] = data[at : at + source.randint(1, 40)]
        else:
            data[at:at] = source.choice(_PROVOKING)
    return bytes(data)
