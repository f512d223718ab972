"""Everything that is not a hot path, in FastAPI: health, metrics, models, the workspace's own figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi import Path as PathParameter
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.routing import Match
from tollway_dialects.dialect import Dialect
from tollway_dialects.wires import WIRES

from tollway_edge.domain.errors import GatewayError, GatewayErrorKind
from tollway_edge.domain.headers import retry_headers
from tollway_edge.entrypoints.admin import add_admin
from tollway_edge.entrypoints.caller import Caller
from tollway_edge.entrypoints.head_as_get import HeadAsGet
from tollway_edge.entrypoints.kept_answers import add_kept_answers
from tollway_edge.entrypoints.request_headers import RequestHeaders

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client import CollectorRegistry

    from tollway_edge.domain.ports import Catalogue, Figures, KeptAnswers, ProviderBoard
    from tollway_edge.domain.workspaces import Workspaces

_REFUSALS: dict[int | str, dict[str, Any]] = {
    "default": {"description": "An error in the caller's dialect", "content": {"application/json": {}}}
}
_BASE_URL = "look at the client's base URL: OpenAI's SDKs want it with /v1, Anthropic's without"
_KINDS = {404: GatewayErrorKind.NOT_FOUND, 405: GatewayErrorKind.METHOD_NOT_ALLOWED}


def build_api(
    workspaces: Workspaces,
    catalogue: Catalogue,
    figures: Figures,
    kept_answers: KeptAnswers,
    registry: CollectorRegistry,
    board: ProviderBoard,
    admin_key: str = "",
) -> FastAPI:
    """Return the FastAPI application."""
    api = FastAPI(title="Tollway", docs_url=None, redoc_url=None, redirect_slashes=False, responses=_REFUSALS)
    api.state.workspaces = workspaces
    api.add_middleware(HeadAsGet)

    @api.get("/", include_in_schema=False)
    @api.get("/api/hello", include_in_schema=False)  # Claude Code asks here before its first call
    async def hello() -> dict[str, str]:
        return {"service": "tollway"}

    @api.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @api.get("/health")
    async def health() -> JSONResponse:
        trouble = [] if workspaces.is_known else ["metering has not told the workspaces yet"]
        trouble += await catalogue.trouble()
        if trouble:
            return JSONResponse({"status": "unavailable", "reasons": trouble}, 503)
        return JSONResponse({"status": "ok", "providers": await catalogue.providers()})

    @api.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @api.get("/v1/models")
    async def models(
        request: Request,
        workspace: Caller,
        limit: Annotated[int, Query(ge=1, le=1000)] = 20,
        after_id: str = "",
        before_id: str = "",
    ) -> dict[str, Any]:
        if _is_anthropic(request):
            return await catalogue.anthropic_list(limit, after_id, before_id)
        return await catalogue.openai_list()

    @api.get("/v1/models/{name:path}")
    async def model(
        request: Request, workspace: Caller, name: Annotated[str, PathParameter(examples=["auto"])]
    ) -> dict[str, Any]:
        return await (catalogue.anthropic_model(name) if _is_anthropic(request) else catalogue.openai_model(name))

    @api.get("/v1/metrics")
    async def month(workspace: Caller) -> dict[str, Any]:
        return await figures.month(workspace.name)

    @api.get("/v1/metrics/recent")
    async def recent(workspace: Caller, n: Annotated[int, Query(ge=1, le=1000)] = 50) -> dict[str, Any]:
        return await figures.recent(workspace.name, n)

    add_kept_answers(api, kept_answers)
    add_admin(api, board, admin_key)
    _answer_errors(api)
    return api


def _answer_errors(api: FastAPI) -> None:
    @api.exception_handler(GatewayError)
    async def refused(request: Request, error: GatewayError) -> Response:
        told = {name.decode(): value.decode() for name, value in retry_headers(error.retry_after)}
        return _error(request, error.kind, error.message, told)

    @api.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> Response:
        told = {}
        if error.status_code == 405:
            told = {"allow": ", ".join(_allowed(request))}
            if request.method == "OPTIONS":
                return Response(headers=told)
        kind = _KINDS.get(error.status_code, GatewayErrorKind.INVALID_REQUEST)
        hint = f"; {_BASE_URL}" if kind is GatewayErrorKind.NOT_FOUND else ""
        return _error(request, kind, f"{request.method} {request.url.path[:200]}: {error.detail}{hint}", told)

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return _error(request, GatewayErrorKind.INVALID_REQUEST, f"{first['loc'][-1]}: {first['msg']}")

    @api.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        return _error(request, GatewayErrorKind.INTERNAL, "the gateway failed; its log says why")


def _allowed(request: Request) -> list[str]:
    """Return the methods of all routes that have this path; the framework tells those of the first one."""
    routes = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    methods = {method for route in routes for method in route.methods}
    return [*sorted(methods - {"HEAD"}), *(["HEAD"] if "GET" in methods else []), "OPTIONS"]


def _is_anthropic(request: Request) -> bool:
    return RequestHeaders.read(request.scope["headers"]).is_anthropic


def _error(request: Request, kind: GatewayErrorKind, message: str, told: Mapping[str, str] | None = None) -> Response:
    dialect = Dialect.ANTHROPIC_MESSAGES if _is_anthropic(request) else Dialect.OPENAI_CHAT
    body = WIRES[dialect].error_body(kind, message, "")
    return Response(body, kind.status, {"x-should-retry": "false", **(told or {})}, "application/json")
