"""The hot routes behind a real server."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tollway_edge.bootstrap import connection_limits
from tollway_edge.entrypoints.connection import EdgeConnection
from tollway_edge.entrypoints.deadlines import watch
from tollway_edge.entrypoints.hot_routes import HotRoutes
from tollway_edge.settings import EdgeConfig
from tollway_servicekit.http_server import serving_http

sys.path.insert(0, str(Path(__file__).parent))
from edge_peer import Peer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from tollway_edge.domain.pipeline import Pipeline

MOST = 1000
ANSWER = b'{"content": [], "stop_reason": "end_turn"}'


@pytest.fixture
def limits() -> dict[str, Any]:
    """What edge's configuration says; a fixture may change it, a test's body comes too late."""
    return {"max_body_bytes": MOST}


@pytest.fixture
async def connect(
    pipeline: Pipeline, limits: dict[str, Any]
) -> AsyncIterator[Callable[[], AbstractAsyncContextManager[Peer]]]:
    async def no_api(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    routes = HotRoutes(pipeline)
    connections: set[EdgeConnection] = set()
    protocol = partial(EdgeConnection, routes, connection_limits(EdgeConfig(**limits)), connections)
    watching = asyncio.create_task(watch(connections, 0.02))
    async with serving_http(no_api, "127.0.0.1:0", protocol=protocol, grace=1) as port:

        @asynccontextmanager
        async def open_peer() -> AsyncIterator[Peer]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            yield Peer(reader, writer)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

        yield open_peer
    watching.cancel()
    await asyncio.wait_for(routes.drained(), 1)


@pytest.fixture
def body(ports: Any, make_body: Any, make_piece: Any, make_stream: Any) -> bytes:
    ports.whole, ports.pieces = make_piece(ANSWER), make_stream()
    return make_body()
