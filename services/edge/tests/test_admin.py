"""The operator's routes: with the admin key alone, and what they tell of providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as pb
from tollway_edge import bootstrap
from tollway_edge.adapters.provider_board import DispatchProviderBoard
from tollway_edge.domain.workspaces import Workspaces
from tollway_edge.entrypoints.api import build_api
from tollway_servicekit.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

ADMIN_KEY = "operators-own-key"
TOLD = pb.ListProvidersResponse(
    providers=[
        pb.ProviderState(
            name="anthropic",
            base_url="https://api.anthropic.com",
            key_fingerprints=["0a1b2c3d"],
            models=["claude-haiku"],
            breakers=[
                pb.Breaker(scope="anthropic/claude-haiku/0a1b2c3d", cause="failed", reason="status_503", left_ms=2500),
                pb.Breaker(scope="anthropic/*/0a1b2c3d", cause="bad_key", reason="status_401"),
            ],
            last_errors=[pb.LastError(scope="anthropic/claude-haiku/0a1b2c3d", reason="status_503", unix_ms=7)],
        )
    ]
)


async def ask(board: Any, headers: Mapping[str, str], admin_key: str = ADMIN_KEY) -> httpx2.Response:
    unused: Any = None
    api = build_api(Workspaces(), unused, unused, unused, CollectorRegistry(), board, admin_key)
    transport = httpx2.ASGITransport(api, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://edge") as client:
        return await client.get("/admin/v1/providers", headers=headers)


@pytest.mark.parametrize("headers", [{"x-api-key": ADMIN_KEY}, {"authorization": f"Bearer {ADMIN_KEY}"}])
async def test_the_state_of_every_provider_is_told(serve: Any, headers: Mapping[str, str]) -> None:
    async with serve(bootstrap.PROVIDER_DISPATCH, TOLD) as (stub, _):
        answer = await ask(DispatchProviderBoard(stub), headers)
    assert answer.status_code == 200
    (anthropic,) = answer.json()["providers"]
    assert (anthropic["name"], anthropic["keys"], anthropic["models"]) == ("anthropic", ["0a1b2c3d"], ["claude-haiku"])
    assert [(each["state"], each["cause"], each["seconds_left"]) for each in anthropic["breakers"]] == [
        ("open", "failed", 2.5),
        ("half-open", "bad_key", 0),
    ]
    assert anthropic["last_errors"][0]["reason"] == "status_503"


@pytest.mark.parametrize("sent", ["", "tw_a-workspaces-key-0123456789", ADMIN_KEY + "x", "\u00fc"])
async def test_nobody_else_is_told(sent: str) -> None:
    answer = await ask(None, {"x-api-key": sent.encode("latin-1")} if sent else {})  # type: ignore[dict-item]
    assert answer.status_code == 401


async def test_without_an_admin_key_the_routes_are_off_whatever_is_sent() -> None:
    for headers in ({}, {"x-api-key": ""}, {"x-api-key": "x"}):
        answer = await ask(None, headers, admin_key="")
        assert answer.status_code == 404
        assert "ADMIN_KEY" in answer.text


async def test_a_provider_dispatch_that_is_away_is_told(serve: Any) -> None:
    async with serve(bootstrap.PROVIDER_DISPATCH, Unavailable("UNAVAILABLE", "nobody there")) as (stub, _):
        assert (await ask(DispatchProviderBoard(stub), {"x-api-key": ADMIN_KEY})).status_code == 503
