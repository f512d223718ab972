"""The routes under `/admin`: for whoever operates the gateway, with a key of its own; added by `api`."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from fastapi import Depends, Request

from tollway_edge.domain.errors import GatewayError, GatewayErrorKind
from tollway_edge.domain.workspaces import digest_of
from tollway_edge.entrypoints.request_headers import RequestHeaders

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tollway_edge.domain.ports import ProviderBoard


def add_admin(api: FastAPI, board: ProviderBoard, admin_key: str) -> None:
    """Answer whoever sends the admin key; without one in the settings, nobody."""

    def admitted(request: Request) -> None:
        if not admin_key:
            message = "the admin routes are off: set ADMIN_KEY at edge and restart it"
            raise GatewayError(GatewayErrorKind.NOT_FOUND, "ADMIN_OFF", message)
        sent = RequestHeaders.read(request.scope["headers"]).key_digest
        if not hmac.compare_digest(sent, digest_of(admin_key)):
            message = "this is not the admin key: send the value of edge's ADMIN_KEY"
            raise GatewayError(GatewayErrorKind.UNAUTHENTICATED, "KEY_UNKNOWN", message)

    @api.get("/admin/v1/providers", dependencies=[Depends(admitted)])
    async def providers() -> dict[str, Any]:
        return await board.providers()
