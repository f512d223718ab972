"""Who calls a route of the FastAPI application: the workspace of the key, or a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from tollway_edge.domain.workspaces import Workspace
from tollway_edge.entrypoints.request_headers import RequestHeaders

if TYPE_CHECKING:
    from tollway_edge.domain.workspaces import Workspaces


def _caller(request: Request) -> Workspace:
    workspaces: Workspaces = request.app.state.workspaces
    return workspaces.authenticate(RequestHeaders.read(request.scope["headers"]).key_digest)


Caller = Annotated[Workspace, Depends(_caller)]
