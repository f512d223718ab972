"""`/v1/responses/{id}` and what is below it: asked of provider-dispatch for the caller's workspace, told as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as pb
from tollway_edge import bootstrap
from tollway_edge.adapters.kept_answers_client import KeptAnswersClient
from tollway_edge.entrypoints.api import build_api
from tollway_servicekit.errors import NotFound, ServiceError, Unavailable

if TYPE_CHECKING:
    from tollway_edge.domain.workspaces import Workspaces

KEY = {"authorization": "Bearer tw_test", "openai-beta": "x=1", "cookie": "no"}
LINES = b"content-type: application/json\r\nx-request-id: req_1\r\nx-gateway-model: forged\r\n"
UNKNOWN = NotFound("KEPT_ANSWER_UNKNOWN", "Response with id 'r' not found.")


@pytest.fixture
def asking(serve: Any, workspaces: Workspaces) -> Any:
    async def asking(answer: Any, method: str, path: str, **options: Any) -> tuple[httpx2.Response, Any]:
        async with serve(bootstrap.PROVIDER_DISPATCH, answer) as (stub, servicer):
            unused: Any = None
            api = build_api(workspaces, unused, unused, KeptAnswersClient(stub), CollectorRegistry())
            transport = httpx2.ASGITransport(api, raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url="http://edge") as client:
                options.setdefault("headers", KEY)
                return await client.request(method, path, **options), servicer

    return asking


def answer(status: int, body: bytes = b"{}") -> pb.AskKeptAnswerResponse:
    return pb.AskKeptAnswerResponse(head=pb.AnswerHead(status=status, header_lines=LINES), body=body)


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("GET", "/v1/responses/resp_1", ("GET", "resp_1", "", "")),
        ("GET", "/v1/responses/resp_1?include=a&include=b", ("GET", "resp_1", "", "include=a&include=b")),
        ("GET", "/v1/responses/resp_1/input_items?after=x", ("GET", "resp_1", "input_items", "after=x")),
        ("DELETE", "/v1/responses/resp_1", ("DELETE", "resp_1", "", "")),
        ("POST", "/v1/responses/resp_1/cancel", ("POST", "resp_1", "cancel", "")),
    ],
)
@pytest.mark.parametrize("status", [200, 404])
async def test_what_the_provider_says_is_told_as_it_is(
    asking: Any, method: str, path: str, asked: tuple[str, ...], status: int
) -> None:
    told, servicer = await asking(answer(status, b'{"id":"resp_1"}'), method, path)
    assert (told.status_code, told.content, told.headers["x-request-id"]) == (status, b'{"id":"resp_1"}', "req_1")
    assert told.headers.get_list("content-type") == ["application/json"]
    assert "x-gateway-model" not in told.headers
    question = servicer.asked
    assert (question.method, question.kept_answer_id, question.below, question.query) == asked
    assert b"openai-beta: x=1\r\n" in question.header_lines
    assert b"cookie" not in question.header_lines
    assert b"tw_test" not in question.header_lines
    assert servicer.context.workspace == "acme"


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (UNKNOWN, 404, "Response with id 'r' not found."),
        (Unavailable("ACCOUNTS_UNAVAILABLE", "Redis is away; try again"), 503, "Redis"),
        (pb.AskKeptAnswerResponse(failure=pb.Failure(reason="UPSTREAM_TIMEOUT", message="it is slow")), 504, "slow"),
        (pb.AskKeptAnswerResponse(failure=pb.Failure(reason="UPSTREAM_UNREACHABLE", message="gone")), 503, "gone"),
        (pb.AskKeptAnswerResponse(), 500, "again"),
    ],
)
async def test_what_cannot_be_asked_is_an_error_of_the_dialect(
    asking: Any, error: ServiceError | pb.AskKeptAnswerResponse, status: int, message: str
) -> None:
    told, _ = await asking(error, "GET", "/v1/responses/resp_1")
    assert told.status_code == status
    assert message in told.json()["error"]["message"]


async def test_without_a_key_nothing_is_asked(asking: Any) -> None:
    told, servicer = await asking(answer(200), "GET", "/v1/responses/resp_1", headers={})
    assert (told.status_code, servicer.asked) == (401, None)
