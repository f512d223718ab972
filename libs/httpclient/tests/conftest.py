"""Servers that say exactly the bytes a test gives them, over TCP or TLS, and clients on either event loop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import trustme
import uvloop
from tollway_httpclient import HttpClient, Limits, Timeouts

if TYPE_CHECKING:
    from pathlib import Path

Answer = Callable[["Peer"], Awaitable[None]]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@dataclass
class Peer:
    """One connection as the server sees it, after it has read a request."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes
    body: bytes

    async def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def gone(self) -> None:
        """Return when the client has closed the connection."""
        with suppress(ConnectionError):
            assert await self.reader.read(1) == b""


@dataclass
class Server:
    """Reads requests, by content-length, and lets `answer` write what follows each."""

    port: int = 0
    scheme: str = "http"
    answer: Answer | None = None
    reads_bodies: bool = True
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0
    resumed: list[bool] = field(default_factory=list)
    """For each TLS connection, whether its session was an earlier one's."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """A connection came to its end."""

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}" if self.scheme == "https" else f"http://127.0.0.1:{self.port}"

    def says(self, *pieces: bytes) -> None:
        """Answer every request with these bytes, each in a packet of its own."""
        self.answer = lambda peer: peer.say(*pieces)

    def says_and_closes(self, *pieces: bytes) -> None:
        async def answer(peer: Peer) -> None:
            await peer.say(*pieces)
            peer.writer.close()

        self.answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if tls := writer.get_extra_info("ssl_object"):
            self.resumed.append(tls.session_reused)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
                while not writer.is_closing():
                    await self._one(reader, writer)
        finally:
            self.left.set()
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        _, found, rest = head.lower().partition(b"content-length: ")
        length = int(rest.split(b"\r")[0]) if found and self.reads_bodies else 0
        body = await reader.readexactly(length)
        self.heads.append(head)
        self.bodies.append(body)
        assert self.answer
        await self.answer(Peer(reader, writer, head, body))


async def _run(server: Server, tls: ssl.SSLContext | None) -> AsyncIterator[Server]:
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(server.serve(reader, writer)))

    listening = await asyncio.start_server(accept, "localhost" if tls else "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    yield server
    listening.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async for server in _run(Server(), None):
        yield server


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority that lives as long as the tests."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return str(file)


@pytest.fixture
async def tls_server(authority: trustme.CA) -> AsyncIterator[Server]:
    """A server on localhost whose certificate says so."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    authority.issue_cert("localhost").configure_cert(context)
    async for server in _run(Server(scheme="https"), context):
        yield server


@pytest.fixture
async def make_client() -> AsyncIterator[Callable[..., HttpClient]]:
    """Make clients that are closed after the test; keywords go to `Timeouts`, `Limits` or `HttpClient`."""
    clients: list[HttpClient] = []

    def make(**given: Any) -> HttpClient:
        timeouts = {name: given.pop(name) for name in Timeouts.__slots__ if name in given}
        limits = {name: given.pop(name) for name in Limits.__slots__ if name in given}
        clients.append(HttpClient(Timeouts(**timeouts), Limits(**limits), **given))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
def client(make_client: Callable[..., HttpClient]) -> HttpClient:
    return make_client()
