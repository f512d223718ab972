"""Everything but the hot paths: health, models, figures, and errors in the caller's dialect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from tollway_edge.domain.errors import GatewayError, GatewayErrorKind
from tollway_edge.domain.workspaces import Workspaces
from tollway_edge.entrypoints.api import build_api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANTHROPIC = {"anthropic-version": "2023-06-01"}
KEY = {"x-api-key": "tw_test"}


class Behind:
    """The catalogue and the figures."""

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self.asked: list[Any] = []
        self.failure: Exception | None = None

    async def providers(self) -> list[str]:
        return ["anthropic"]

    async def trouble(self) -> list[str]:
        return self.troubles

    async def openai_list(self) -> dict[str, Any]:
        return {"object": "list", "data": []}

    async def anthropic_list(self, limit: int, after: str, before: str) -> dict[str, Any]:
        self.asked.append((limit, after, before))
        return {"has_more": False, "data": []}

    async def openai_model(self, name: str) -> dict[str, Any]:
        return {"object": "model", "id": name}

    async def anthropic_model(self, name: str) -> dict[str, Any]:
        return {"type": "model", "id": name}

    async def month(self, workspace: str) -> dict[str, Any]:
        return {"workspace": workspace}

    async def recent(self, workspace: str, limit: int) -> dict[str, Any]:
        if self.failure:
            raise self.failure
        self.asked.append((workspace, limit))
        return {"calls": []}


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
async def client(behind: Behind, workspaces: Workspaces) -> AsyncIterator[httpx2.AsyncClient]:
    api = build_api(workspaces, behind, behind, behind, CollectorRegistry())
    transport = httpx2.ASGITransport(api, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://edge") as opened:
        yield opened


def shape(answer: httpx2.Response) -> str:
    told = answer.json()
    assert answer.headers["content-type"] == "application/json"
    return "anthropic" if told.get("type") == "error" else "openai" if "code" in told["error"] else "none"


async def test_health_is_ok_or_says_every_reason(behind: Behind, client: httpx2.AsyncClient) -> None:
    answer = await client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "providers": ["anthropic"]})
    behind.troubles = ["no provider has a key"]
    answer = await client.get("/health")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["no provider has a key"])
    assert (await client.get("/health/live")).status_code == 200


async def test_health_without_workspaces_tells_both_troubles(behind: Behind) -> None:
    behind.troubles = ["no provider has a key"]
    transport = httpx2.ASGITransport(build_api(Workspaces(), behind, behind, behind, CollectorRegistry()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://edge") as client:
        reasons = (await client.get("/health")).json()["reasons"]
        assert reasons == ["metering has not told the workspaces yet", "no provider has a key"]
        answer = await client.get("/v1/models", headers=KEY)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.headers["x-should-retry"] == "true"


@pytest.mark.parametrize(("headers", "dialect"), [({}, "openai"), (ANTHROPIC, "anthropic")])
@pytest.mark.parametrize("n", ["0", "-1", "1001", "many", "1.5", ""])
async def test_a_count_out_of_range_is_a_400_of_the_dialect(
    behind: Behind, client: httpx2.AsyncClient, headers: dict[str, str], dialect: str, n: str
) -> None:
    answer = await client.get("/v1/metrics/recent", params={"n": n}, headers=KEY | headers)
    assert (answer.status_code, shape(answer)) == (400, dialect)
    assert answer.json()["error"]["message"].startswith("n: ")
    assert behind.asked == []


@pytest.mark.parametrize(("query", "count"), [({}, 50), ({"n": "1"}, 1), ({"n": "1000"}, 1000)])
async def test_the_latest_calls_are_the_callers_own(
    behind: Behind, client: httpx2.AsyncClient, query: dict[str, str], count: int
) -> None:
    answer = await client.get("/v1/metrics/recent", params=query, headers=KEY)
    assert (answer.status_code, behind.asked) == (200, [("acme", count)])


@pytest.mark.parametrize(("headers", "dialect"), [({}, "openai"), (ANTHROPIC, "anthropic")])
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/no-such-path", 404),
        ("POST", "/v1/messages/", 404),
        ("GET", "/v1/" + "x" * 5000, 404),
        ("DELETE", "/v1/models", 405),
        ("POST", "/health", 405),
        ("OPTIONS", "/v1/no-such-path", 404),
        ("GET", "/v1/metrics", 401),
        ("GET", "/v1/models", 401),
    ],
)
async def test_what_is_not_served_is_refused_in_the_dialect(
    client: httpx2.AsyncClient, headers: dict[str, str], dialect: str, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path, headers=headers)
    assert (answer.status_code, shape(answer)) == (status, dialect)
    assert answer.headers["x-should-retry"] == "false"
    assert len(answer.content) < 500


async def test_a_method_that_is_not_served_says_which_is(client: httpx2.AsyncClient) -> None:
    assert (await client.delete("/v1/models")).headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ["/", "/api/hello", "/health", "/v1/models"])
async def test_what_is_served_to_get_is_served_to_head(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.head(path, headers=KEY)).status_code == 200


async def test_options_tell_what_may_be_asked(client: httpx2.AsyncClient) -> None:
    answer = await client.options("/v1/models")
    assert (answer.status_code, answer.headers["allow"]) == (200, "GET, HEAD, OPTIONS")
    assert (await client.head("/v1/metrics")).status_code == 401


async def test_models_are_listed_in_the_callers_shape(client: httpx2.AsyncClient) -> None:
    assert "object" in (await client.get("/v1/models", headers=KEY)).json()
    assert "has_more" in (await client.get("/v1/models", headers=KEY | ANTHROPIC)).json()


async def test_a_model_is_shown_in_the_callers_shape_whatever_its_name(client: httpx2.AsyncClient) -> None:
    for name in ("auto", "vendor/model", "a.b:c"):
        assert (await client.get(f"/v1/models/{name}", headers=KEY)).json() == {"object": "model", "id": name}
        assert (await client.get(f"/v1/models/{name}", headers=KEY | ANTHROPIC)).json() == {"type": "model", "id": name}


async def test_a_page_of_models_is_what_the_caller_asked_for(behind: Behind, client: httpx2.AsyncClient) -> None:
    await client.get("/v1/models?limit=1000&after_id=m", headers=KEY | ANTHROPIC)
    assert behind.asked == [(1000, "m", "")]
    assert (await client.get("/v1/models?limit=0", headers=KEY | ANTHROPIC)).status_code == 400


async def test_a_refusal_that_passes_says_when_to_come_again(behind: Behind, client: httpx2.AsyncClient) -> None:
    behind.failure = GatewayError(GatewayErrorKind.UNAVAILABLE, "AWAY", "metering cannot be reached", 2)
    answer = await client.get("/v1/metrics/recent", headers=KEY)
    assert (answer.status_code, answer.headers["retry-after"], answer.headers["x-should-retry"]) == (503, "2", "true")


async def test_a_defect_keeps_its_text_to_itself(behind: Behind, client: httpx2.AsyncClient) -> None:
    behind.failure = RuntimeError("sk-secret")
    answer = await client.get("/v1/metrics/recent", headers=KEY)
    assert (answer.status_code, shape(answer)) == (500, "openai")
    assert "sk-secret" not in json.dumps([answer.text, *answer.headers.items()])


async def test_metrics_are_prometheus_text(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/metrics")).headers["content-type"].startswith("text/plain")
