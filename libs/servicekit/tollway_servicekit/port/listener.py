"""The port of a service: accepts, ends TLS where it is spoken, and finds out who serves each connection."""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from tollway_servicekit.port.mark import is_link
from tollway_servicekit.port.sockets import listening_sockets
from tollway_servicekit.port.splice import splice

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from tollway_servicekit.tls import Credentials

log = logging.getLogger(__name__)

FIRST_BYTES_SECONDS = 20.0
"""What a connection gets for its handshake, and again for the bytes that say what it is."""
LEAVING_SECONDS = 1.0
"""What connections get to end after the gRPC server has."""
OUT_OF_FILES_SECONDS = 0.5
"""How long nothing is accepted where the process has too many files open."""


class Port:
    """
    Where a service is reached.

    Args:
        sockets: What is listened on.
        serve_link: Makes the protocol of a connection that is a link.
        behind: The socket of the gRPC server, which gets all others.
        credentials: For TLS.
    """

    def __init__(
        self,
        sockets: list[socket.socket],
        serve_link: Callable[[], asyncio.Protocol],
        behind: Path,
        credentials: Credentials | None,
    ) -> None:
        self.serve_link = serve_link
        self._sockets = sockets
        self._behind = behind
        self._credentials = credentials
        self._tasks: set[asyncio.Task[None]] = set()
        self._entries: set[Entry] = set()
        self._accepting = [asyncio.create_task(self._accept(each)) for each in sockets]

    @property
    def number(self) -> int:
        name = self._sockets[0].getsockname()
        return int(name[1]) if isinstance(name, tuple) else 0

    async def close(self) -> None:
        """Accept no more."""
        for task in self._accepting:
            task.cancel()
        await asyncio.wait(self._accepting)
        for each in self._sockets:
            each.close()

    async def end(self) -> None:
        """End what is left; gRPC's connections have ended, and get a moment for their last bytes."""
        for entry in self._entries:
            entry.give_up()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LEAVING_SECONDS)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, address = await loop.sock_accept(listening)
            except OSError as error:  # one that has gone already, or no room for one more
                log.warning("a connection could not be accepted: %s", error)
                await asyncio.sleep(OUT_OF_FILES_SECONDS)
            else:
                self._start(self._serve(accepted, address))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, accepted: socket.socket, address: Any) -> None:
        """Serve a connection; one that is a link is handed on."""
        tls = None if self._credentials is None else self._credentials.of_server()
        entry = Entry(self.serve_link)
        self._entries.add(entry)
        wait = FIRST_BYTES_SECONDS if tls is not None else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: entry, accepted, ssl=tls, ssl_handshake_timeout=wait
            )
            is_foreign = await entry.is_foreign()
            self._entries.discard(entry)
            if is_foreign and entry.transport is not None:
                await splice(entry.transport, entry.begin, self._behind)
        except ssl.SSLError as error:
            log.warning("a connection of %s is refused: %s", _host(address), error.reason)
        except OSError:  # it has gone
            pass
        finally:
            self._entries.discard(entry)
            await entry.leave()


class Entry(asyncio.Protocol):
    """
    Reads until it is clear what a connection is.

    Args:
        serve_link: Makes the protocol of one that is a link.
    """

    def __init__(self, serve_link: Callable[[], asyncio.Protocol]) -> None:
        self.begin = bytearray()
        self._serve_link = serve_link
        loop = asyncio.get_running_loop()
        self._foreign: asyncio.Future[bool] = loop.create_future()
        self._lost: asyncio.Future[None] = loop.create_future()
        self.transport: asyncio.Transport | None = None

    async def is_foreign(self) -> bool:
        """Say whether gRPC is to serve this; it is paused then, and `begin` is what was read."""
        try:
            async with asyncio.timeout(FIRST_BYTES_SECONDS):
                return await self._foreign
        except TimeoutError:
            return False

    def give_up(self) -> None:
        """Read no further."""
        if not self._foreign.done():
            self._foreign.set_result(False)

    async def leave(self) -> None:
        """Close the connection, unless it was handed on or is closing already; asked then, TLS forgets whose it is."""
        if self.transport is not None and not self.transport.is_closing() and self.transport.get_protocol() is self:
            self.transport.abort()
            await self._lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.begin += data
        if self._foreign.done() or self.transport is None or (verdict := is_link(self.begin)) is None:
            return
        self._foreign.set_result(not verdict)
        if not verdict:
            self.transport.pause_reading()
            return
        protocol = self._serve_link()
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        protocol.data_received(bytes(self.begin))

    def connection_lost(self, exc: Exception | None) -> None:
        self.give_up()
        if not self._lost.done():
            self._lost.set_result(None)


def _host(address: object) -> str:
    return str(address[0]) if isinstance(address, tuple) else "this machine"


@asynccontextmanager
async def listening(
    address: str, serve_link: Callable[[], asyncio.Protocol], behind: Path, credentials: Credentials | None
) -> AsyncIterator[Port]:
    """
    Yield the open port; at the end of the block the connections are closed that are no links.

    Raises:
        OSError: The address is taken or not ours.
    """
    with listening_sockets(address) as sockets:
        port = Port(sockets, serve_link, behind, credentials)
        try:
            yield port
        finally:
            await port.close()
            await port.end()
