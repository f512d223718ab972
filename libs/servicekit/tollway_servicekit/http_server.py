"""Runs an ASGI application on uvicorn inside a loop that somebody else owns: no signal handlers, no ticking."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    Protocol = Callable[..., HttpToolsProtocol]

# longer than any client keeps an idle connection, so that it is always the client who closes it
KEEP_ALIVE_SECONDS = 300
STOP_GRACE_SECONDS = 20


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.stop = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self.stop.wait()


@asynccontextmanager
async def serving_http(
    app: Any, address: str, *, protocol: Protocol = HttpToolsProtocol, grace: int = STOP_GRACE_SECONDS
) -> AsyncIterator[int]:
    """
    Serve until the block is left.

    Args:
        app: An ASGI application without lifespan.
        address: `host:port`; port 0 takes a free one.
        protocol: How a connection is read and written.
        grace: Seconds that requests in flight get when the block is left.

    Yields:
        The port that is listened on.

    Raises:
        OSError: The address is taken or not ours.
    """
    listener = _listen(address)
    server = _Server(_config(app, protocol, grace))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.ready.wait()
        yield listener.getsockname()[1]
    finally:
        server.stop.set()
        await serving


def _config(app: Any, protocol: Protocol, grace: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=protocol,  # type: ignore[arg-type] # a class is made with keywords, and so may anything be
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=grace,
    )


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, int(port)), family=family, backlog=2048)
    except OSError as error:
        raise OSError(f"cannot listen on {address}: {error.strerror}; set LISTEN_ADDRESS to a free one") from error
    # inherited by its connections; asyncio's own loop sets it for sockets that it made itself only
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
