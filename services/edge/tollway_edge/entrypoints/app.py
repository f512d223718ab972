"""The ASGI application: hot paths first, FastAPI for everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_edge.entrypoints.chat import HOT_PATHS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from tollway_edge.entrypoints.exchange import Receive, Send

    App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


def edge_app(chat: App, api: App) -> App:
    async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        serve = chat if scope.get("path") in HOT_PATHS and scope["type"] == "http" else api
        await serve(scope, receive, send)

    return app
