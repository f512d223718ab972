"""
`HttpClient`: what callers use. It keeps a pool for each origin and a prepared head for each address.

    client = HttpClient(Timeouts(connect=5), proxy_of=environment_proxy)
    response = await client.request("POST", "https://api.example.com/v1", [("content-type", "application/json")], body)
    async for piece in response.pieces(): ...
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tollway_httpclient.dial import Dialer
from tollway_httpclient.header_sieve import HeaderSieve
from tollway_httpclient.limits import Limits, Timeouts
from tollway_httpclient.pool import Pool
from tollway_httpclient.proxy import no_proxy
from tollway_httpclient.target import Target, split_url
from tollway_httpclient.tls import ResumingContext

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from tollway_httpclient.proxy import Proxy
    from tollway_httpclient.response import Response
    from tollway_httpclient.target import Origin

_MAX_TARGETS = 1024


class HttpClient:
    """
    HTTP/1.1 over kept connections, for the one event loop in which it is first used.

    Args:
        timeouts: In force where a request brings none of its own.
        limits: Connections to each origin.
        ca_file: PEM file of the CA certificates that are trusted instead of the system's; raises OSError.
        proxy_of: Asked once for each origin.
        left_out: Names of headers, in lower case, that `Response.lines` goes without, beside those of the connection;
            one that ends in `*` stands for all that begin like it.
    """

    def __init__(
        self,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        *,
        ca_file: str | None = None,
        proxy_of: Callable[[Origin], Proxy | None] = no_proxy,
        left_out: Iterable[str] = (),
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._limits = limits or Limits()
        self._tls = ResumingContext.create(ca_file)
        self._proxy_of = proxy_of
        self._sieve = HeaderSieve(left_out)
        self._pools: dict[Origin, Pool] = {}
        self._targets: dict[tuple[str, str], Target] = {}

    def request(
        self,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]] | bytes = (),
        body: bytes | memoryview = b"",
        timeouts: Timeouts | None = None,
    ) -> Coroutine[Any, Any, Response]:
        """
        Send one request, once, and return as soon as the head of its answer is there; to be awaited at once.

        Args:
            method: Any but CONNECT.
            url: http(s)://host[:port]/…
            headers: Pairs, or the lines as they stand in a head, names in lower case: `name: value` CRLF for each.
            body: Sent as it is, with its length.
            timeouts: Instead of the client's.

        Raises:
            HttpClientError: `errors` says which of them mean that nothing was sent.
        """
        target = self._targets.get((method, url)) or self._target(method, url)
        head = target.head(headers, len(body))
        limits = timeouts or self._timeouts
        connection = target.pool.take()
        if connection is None:
            return _exchange(target, head, body, limits)
        return connection.exchange(head, body, limits, target.is_head)

    async def aclose(self) -> None:
        """Close every connection; answers that are not read to their end break as `Reset`."""
        await asyncio.gather(*(pool.aclose() for pool in self._pools.values()))

    def _target(self, method: str, url: str) -> Target:
        origin, path = split_url(url)
        pool = self._pools.get(origin)
        if pool is None:
            proxy = self._proxy_of(origin)
            dialer = Dialer(origin, proxy, self._tls if origin.scheme == "https" else None)
            pool = self._pools[origin] = Pool(origin, proxy, dialer, self._limits, self._sieve)
        target = Target.of(pool, method, path)
        if len(self._targets) >= _MAX_TARGETS:
            self._targets.clear()
        self._targets[method, url] = target
        return target


async def _exchange(target: Target, head: bytes, body: bytes | memoryview, limits: Timeouts) -> Response:
    """Send a request once there is a connection for it."""
    connection = await target.pool.acquire(limits.connect)
    return await connection.exchange(head, body, limits, target.is_head)
