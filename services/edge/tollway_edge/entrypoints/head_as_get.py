"""Answers HEAD as GET without its body, which FastAPI does not do on its own; the server leaves the body away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class HeadAsGet:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # a copy: the server reads the method of its own, and sends no body
        await self._app(scope | {"method": "GET"} if scope.get("method") == "HEAD" else scope, receive, send)
