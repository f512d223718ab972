"""
Proxies: which one an origin is reached through, and the way through it; used once for each origin by `client`, and
by `dial` for each connection.

    http://    the request goes to the proxy in absolute form
    https://   CONNECT host:port, 2xx, then TLS with the origin itself; the proxy sees no more than its name

A proxy's own address is http://[user[:password]@]host[:port]; user and password become Basic authorization.
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from tollway_httpclient.errors import ConnectFailed

if TYPE_CHECKING:
    import socket

    from tollway_httpclient.target import Origin

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")
_MAX_REPLY = 16 * 1024


class Proxy(NamedTuple):
    """Where a proxy is, and what it is told about us."""

    host: str
    port: int
    authorization: str = ""
    """A line of the head, or nothing."""

    @classmethod
    def of(cls, url: str) -> Proxy:
        """Read a proxy's address; raises `ConnectFailed`, since nothing can be reached through what is none."""
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            host, port = parts.hostname, parts.port or 80
        except ValueError:
            host = None
        if not host or parts.scheme != "http":
            raise ConnectFailed("a proxy must be given as http://[user:password@]host[:port]")
        if not parts.username:
            return cls(host, port)
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return cls(host, port, f"proxy-authorization: Basic {b64encode(pair.encode()).decode()}\r\n")

    def __repr__(self) -> str:
        return f"Proxy({self.host}:{self.port})"


def no_proxy(origin: Origin) -> Proxy | None:
    return None


def environment_proxy(origin: Origin) -> Proxy | None:
    """Return what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say of an origin."""
    if proxy_bypass(origin.authority):
        return None
    url = getproxies().get(origin.scheme)
    return Proxy.of(url) if url else None


async def open_tunnel(sock: socket.socket, proxy: Proxy, origin: Origin) -> None:
    """Have a proxy pass on what comes next; raises `ConnectFailed` where it will not."""
    loop = asyncio.get_running_loop()
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    name = f"{host}:{origin.port}"
    request = f"CONNECT {name} HTTP/1.1\r\nhost: {name}\r\n{proxy.authorization}\r\n"
    await loop.sock_sendall(sock, request.encode("ascii"))
    reply = b""
    while not (end := reply.find(b"\r\n\r\n") + 4) > 3:
        more = await loop.sock_recv(sock, 4096)
        if not more or len(reply) > _MAX_REPLY:
            raise ConnectFailed("the proxy did not answer in HTTP")
        reply += more
    status = _STATUS.match(reply)
    if not status or not 200 <= int(status[1]) < 300:
        raise ConnectFailed(f"the proxy refused to connect ({status[1].decode() if status else 'not HTTP'})")
    if len(reply) > end:  # a server speaks second in TLS, so these bytes are not the origin's
        raise ConnectFailed("the proxy sent more than its answer")
