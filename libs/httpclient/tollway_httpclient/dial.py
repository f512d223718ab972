"""
Opens connections to one origin; called by `pool`, which sets the limit of time.

    look up the name ──▶ connect, an address every 250 ms until one stands ──▶ [CONNECT] ──▶ [TLS]

Addresses are raced by aiohappyeyeballs (RFC 8305), families interleaved, since uvloop knows only one after the other.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from aiohappyeyeballs import start_connection

from tollway_httpclient.errors import ConnectFailed
from tollway_httpclient.proxy import open_tunnel

if TYPE_CHECKING:
    from tollway_httpclient.proxy import Proxy
    from tollway_httpclient.target import Origin
    from tollway_httpclient.tls import ResumingContext

_NEXT_ADDRESS_SECONDS = 0.25


class Dialer:
    """The way to one origin; `tls` is None for http."""

    def __init__(self, origin: Origin, proxy: Proxy | None, tls: ResumingContext | None) -> None:
        self.tls = tls
        self._origin = origin
        self._proxy = proxy

    async def dial(self, protocol: asyncio.BaseProtocol) -> None:
        """Give a protocol its connection; raises `ConnectFailed`."""
        try:
            await self._dial(protocol)
        except (OSError, UnicodeError) as error:  # of TLS too; and of names that cannot be looked up
            raise ConnectFailed(f"{self._origin.authority}: {error}") from error

    async def _dial(self, protocol: asyncio.BaseProtocol) -> None:
        loop = asyncio.get_running_loop()
        host, port = (self._proxy.host, self._proxy.port) if self._proxy else (self._origin.host, self._origin.port)
        addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        sock = await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS, interleave=1, loop=loop)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if self._proxy and self.tls:
                await open_tunnel(sock, self._proxy, self._origin)
            name = self._origin.host if self.tls else None
            await loop.create_connection(lambda: protocol, sock=sock, ssl=self.tls, server_hostname=name)
        except BaseException:
            sock.close()
            raise
