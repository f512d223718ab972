"""
The yardstick: a plain reverse proxy, one aiohttp server and one ClientSession, bytes through and nothing else.

`python -m bench.relay http://upstream:port port`; started by `processes`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import uvloop
from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOP_BY_HOP = frozenset({"connection", "host", "keep-alive", "transfer-encoding"})
KEEP_ALIVE_SECONDS = 300


class Relay:
    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._session: ClientSession | None = None

    async def keep_session(self, _: web.Application) -> AsyncIterator[None]:
        connector = TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS)
        async with ClientSession(
            connector=connector, auto_decompress=False, cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=None)
        ) as self._session:
            yield

    async def handle(self, request: web.Request) -> web.StreamResponse:
        url = self._upstream + request.path_qs
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        async with self._session.request(
            request.method, url, headers=headers, data=await request.read(), allow_redirects=False
        ) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)
            async for data in answer.content.iter_any():
                await response.write(data)
            await response.write_eof()
            return response


def main() -> None:
    upstream, port = sys.argv[1:]
    relay = Relay(upstream)
    app = web.Application(client_max_size=32 * 1024 * 1024)
    app.cleanup_ctx.append(relay.keep_session)
    app.router.add_route("*", "/{path:.*}", relay.handle)
    web.run_app(
        app,
        host="127.0.0.1",
        port=int(port),
        access_log=None,
        print=None,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        loop=uvloop.new_event_loop(),
    )


if __name__ == "__main__":
    main()
