"""uvicorn inside a running loop, without signal handlers of its own: the process decides when to stop."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STOP_GRACE_SECONDS = 20


@asynccontextmanager
async def http_serving(app: Any, address: str) -> AsyncIterator[int]:
    """
    Serve until the block is left; requests in flight may then end.

    Args:
        app: An ASGI application.
        address: `host:port`; port 0 takes a free one.

    Yields:
        The port that is listened on.

    Raises:
        OSError: The address is taken or not ours.
    """
    listener = _listen(address)
    config = uvicorn.Config(
        app,
        http="httptools",
        loop="none",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=STOP_GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    ticking = asyncio.create_task(server.main_loop())
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await ticking
        await server.shutdown(sockets=[listener])


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, int(port)))
    except OSError as error:
        listener.close()
        raise OSError(
            f"cannot listen on {address}: {error.strerror}; set LISTEN_ADDRESS to another host:port"
        ) from error
    listener.listen(2048)
    listener.setblocking(False)
    return listener
