"""
The connections to one origin; `client` keeps one pool for each.

    request ──▶ an idle connection, the last used first
            ──▶ else a new one, while there are fewer than `max_connections`
            ──▶ else a place in line, first come first served, for as long as a connect may take

A place in line ends with a connection that was released, or with leave to open one in the place of one that was lost.
Whoever comes later does not overtake.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from tollway_httpclient.connection import Connection
from tollway_httpclient.errors import ClientClosed, ConnectFailed, ConnectTimeout
from tollway_httpclient.header_sieve import HeaderSieve
from tollway_httpclient.limits import READ_BYTES

if TYPE_CHECKING:
    from tollway_httpclient.dial import Dialer
    from tollway_httpclient.limits import Limits
    from tollway_httpclient.proxy import Proxy
    from tollway_httpclient.target import Origin


class Pool:
    """An `Owner` of connections."""

    def __init__(
        self, origin: Origin, proxy: Proxy | None, dialer: Dialer, limits: Limits, sieve: HeaderSieve | None = None
    ) -> None:
        self.origin = origin
        is_absolute = proxy is not None and dialer.tls is None
        self.path_prefix = f"{origin.scheme}://{origin.authority}" if is_absolute else ""
        self.extra_headers = proxy.authorization if proxy is not None and is_absolute else ""
        self._dialer = dialer
        self._limits = limits
        self._sieve = sieve or HeaderSieve()
        self._room = memoryview(bytearray(READ_BYTES))
        self._loop = asyncio.get_running_loop()
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        """Those that are being dialled as well."""
        self._line: deque[asyncio.Future[Connection | None]] = deque()
        self._leaves = 0
        """Places in line that were told to dial and have not begun."""
        self._is_closed = False
        self._emptied = asyncio.Event()

    def take(self) -> Connection | None:
        """Return an idle connection whose other end is still there."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable(self._limits.trusted_seconds):
                return connection
            connection.abort()
        return None

    async def acquire(self, seconds: float) -> Connection:
        """Return a connection, however it is to be had; raises `ConnectFailed`."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    connection = self.take() or await self._dial_or_wait()
                    if connection.is_usable(self._limits.trusted_seconds):
                        return connection
        except TimeoutError:
            raise ConnectTimeout(f"{self.origin.authority}: no connection within {seconds} s") from None

    def released(self, connection: Connection) -> None:
        if self._dialer.tls is not None and connection.tls is not None:
            self._dialer.tls.remember(connection.tls)
            connection.tls = None  # once is enough
        connection.rest(self._limits.idle_seconds)
        if self._line and self._pass_on(connection):
            return
        if self._is_closed or len(self._idle) >= self._limits.max_idle:
            connection.abort()
        else:
            self._idle.append(connection)

    def lost(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        if connection in self._open:
            self._open.remove(connection)
            self._give_leave()

    async def aclose(self) -> None:
        """Close all connections and return when that is done; one that is being dialled is given up once it stands."""
        self._is_closed = True
        for place in self._line:
            if not place.done():
                place.set_exception(ClientClosed("the client was closed"))
        connected = [connection for connection in self._open if connection.is_connected]
        for connection in connected:
            connection.abort()
        if connected:
            await self._emptied.wait()

    async def _dial_or_wait(self) -> Connection:
        if self._is_closed:
            raise ClientClosed("the client is closed")
        if len(self._open) + self._leaves >= self._limits.max_connections:
            connection = await self._stand_in_line()
            if connection is not None:
                return connection
            self._leaves -= 1
        connection = Connection(self, self._loop, self._limits, self._sieve, self._room)
        self._open.add(connection)
        try:
            await self._dialer.dial(connection)
        except BaseException:
            self.lost(connection)
            raise
        connection.rest(self._limits.idle_seconds)
        if self._is_closed:
            connection.abort()
            raise ClientClosed("the client was closed")
        if not connection.is_usable(self._limits.trusted_seconds):
            raise ConnectFailed(f"{self.origin.authority}: closed as soon as it stood")
        return connection

    async def _stand_in_line(self) -> Connection | None:
        """Return a connection, or None: one may be dialled."""
        place: asyncio.Future[Connection | None] = self._loop.create_future()
        self._line.append(place)
        try:
            return await place
        except asyncio.CancelledError:
            if place.cancelled():
                with suppress(ValueError):
                    self._line.remove(place)
            elif place.exception() is None:  # it came, and nobody is there to use it
                self._give_on(place.result())
            raise

    def _give_on(self, connection: Connection | None) -> None:
        if connection is not None:
            self.released(connection)
        else:
            self._leaves -= 1
            self._give_leave()

    def _give_leave(self) -> None:
        if self._pass_on(None):
            self._leaves += 1
        elif self._is_closed and not any(connection.is_connected for connection in self._open):
            self._emptied.set()

    def _pass_on(self, connection: Connection | None) -> bool:
        """Give the first in line a connection, or leave to dial one."""
        while self._line:
            place = self._line.popleft()
            if not place.done():
                place.set_result(connection)
                return True
        return False
