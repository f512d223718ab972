"""All of edge over a metering that goes and comes: nobody is let in unknown, and no record is lost or sent twice."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from tollway.cache.v1 import cache_pb2
from tollway.chat.v1 import chat_pb2
from tollway.classifier.v1 import classifier_pb2
from tollway.metering.v1 import metering_pb2
from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as dispatch_pb2
from tollway_dialects.stored_answer import unpack
from tollway_edge import bootstrap
from tollway_edge.settings import Settings
from tollway_servicekit.errors import Unavailable
from tollway_servicekit.http_server import serving_http
from tollway_servicekit.testing import STUB_KINDS, stub_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

KEY = "tw_test"
MESSAGE = {"model": "claude-haiku", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
FIGURES = metering_pb2.GetUsageResponse(calls=3, monthly_token_cap=100, cost_micro_usd=1_500_000)


class Metering:
    """Knows one workspace; a test sends it away and lets it come back."""

    def __init__(self) -> None:
        self.booked: list[metering_pb2.CallRecord] = []
        self.back = asyncio.Event()
        self.asked = asyncio.Event()
        self.cap = 0
        self._left = asyncio.Event()

    def leave(self) -> None:
        self.back.clear()
        self._left.set()

    def come(self) -> None:
        self._left.clear()
        self.back.set()

    def _check(self) -> None:
        self.asked.set()
        if not self.back.is_set():
            raise Unavailable("AWAY", "metering is away")

    async def WatchWorkspaces(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        self._check()
        digest = hashlib.sha256(KEY.encode()).digest()
        workspace = metering_pb2.Workspace(name="acme", key_digests=[digest], monthly_token_cap=self.cap)
        yield metering_pb2.WatchWorkspacesResponse(workspaces=[workspace])
        await self._left.wait()

    async def SettleCalls(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._check()
        calls = list(_records(request.columns))
        self.booked += calls
        return metering_pb2.SettleCallsResponse(booked_count=len(calls))

    async def ReserveCall(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._check()
        return metering_pb2.ReserveCallResponse(reserved_tokens=1)

    async def GetUsage(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._check()
        return FIGURES

    async def ListCalls(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._check()
        return metering_pb2.ListCallsResponse(calls=[metering_pb2.BookedCall(call=call) for call in self.booked])


def _records(columns: metering_pb2.CallColumns) -> Iterator[metering_pb2.CallRecord]:
    """Yield what the tests look at."""
    output_tokens = columns.usage.output_tokens
    for call_id, index, output in zip(columns.call_ids, columns.kind_indexes, output_tokens, strict=True):
        kind = columns.kinds[index]
        yield metering_pb2.CallRecord(
            call_id=call_id.hex(),
            workspace=kind.workspace,
            is_streamed=kind.is_streamed,
            status=kind.status,
            usage=chat_pb2.Usage(output_tokens=output),
        )


class Others:
    """The rest of the data plane at its plainest."""

    def __init__(self) -> None:
        self.stored: list[Any] = []

    async def LookupAnswer(self, request: Any, context: Any) -> Any:  # noqa: N802
        return cache_pb2.LookupAnswerResponse()

    async def LookupAnswers(self, request: Any, context: Any) -> Any:  # noqa: N802
        return cache_pb2.LookupAnswersResponse()

    async def StoreAnswers(self, request: Any, context: Any) -> Any:  # noqa: N802
        return cache_pb2.StoreAnswersResponse()

    async def StorePackedAnswers(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.stored += request.packed_answers
        return cache_pb2.StorePackedAnswersResponse()

    async def WatchStoredKeys(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        yield cache_pb2.WatchStoredKeysResponse(is_whole=True)

    async def ListProviders(self, request: Any, context: Any) -> Any:  # noqa: N802
        return dispatch_pb2.ListProvidersResponse()

    async def AskKeptAnswer(self, request: Any, context: Any) -> Any:  # noqa: N802
        return dispatch_pb2.AskKeptAnswerResponse()

    async def ClassifyPrompt(self, request: Any, context: Any) -> Any:  # noqa: N802
        return classifier_pb2.ClassifyPromptResponse()

    async def CompleteChat(self, request: Any, context: Any) -> Any:  # noqa: N802
        head = dispatch_pb2.AnswerHead(status=200, provider="p", model="claude-haiku")
        usage = chat_pb2.Usage(uncached_input_tokens=3, output_tokens=2)
        return dispatch_pb2.CompleteChatResponse(head=head, body=b"{}", usage=usage, stop_reason="end_turn")

    async def StreamChat(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        head = dispatch_pb2.AnswerHead(status=200, provider="p", model="claude-haiku")
        yield dispatch_pb2.StreamChatResponse(head=head)
        event = {"type": "message_start", "message": {"content": []}}
        yield dispatch_pb2.StreamChatResponse(data=f"data: {json.dumps(event)}\n\n".encode())
        yield dispatch_pb2.StreamChatResponse(end=dispatch_pb2.StreamEnd(is_complete=True, stop_reason="end_turn"))

    async def ListModels(self, request: Any, context: Any) -> Any:  # noqa: N802
        return dispatch_pb2.ListModelsResponse(providers=["p"])


@pytest.fixture
def metering() -> Metering:
    return Metering()


@pytest.fixture
def others() -> Others:
    return Others()


@pytest.fixture(params=STUB_KINDS)
def edge(request: pytest.FixtureRequest, metering: Metering, others: Others) -> Any:
    @asynccontextmanager
    async def start() -> AsyncIterator[httpx2.AsyncClient]:
        kind = request.param
        async with (
            stub_of(kind, bootstrap.METERING, metering) as meter,
            stub_of(kind, bootstrap.CACHE, others) as cache,
            stub_of(kind, bootstrap.CLASSIFIER, others) as classifier,
            stub_of(kind, bootstrap.PROVIDER_DISPATCH, others) as dispatch,
            bootstrap.bootstrap(Settings(), bootstrap.Stubs(cache, classifier, dispatch, meter, None)) as edge,
            serving_http(edge.api, "127.0.0.1:0", protocol=edge.protocol, grace=1) as port,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"x-api-key": KEY}) as client,
        ):
            yield client
        metering.leave()

    return start


async def until(client: httpx2.AsyncClient, status: int) -> httpx2.Response:
    for _ in range(250):
        if (answer := await client.post("/v1/messages", json=MESSAGE)).status_code == status:
            return answer
        await asyncio.sleep(0.02)
    raise AssertionError(f"{answer.status_code}: {answer.text}")


async def test_before_metering_is_there_calls_are_refused_and_then_served(edge: Any, metering: Metering) -> None:
    async with edge() as client:
        answer = await client.post("/v1/messages", json=MESSAGE)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        health = await client.get("/health")
        assert (health.status_code, health.json()["reasons"]) == (503, ["metering has not told the workspaces yet"])
        assert (await client.get("/health/live")).status_code == 200
        metering.come()
        await until(client, 200)
        assert (await client.get("/health")).json() == {"status": "ok", "providers": ["p"]}
    assert [call.workspace for call in metering.booked] == ["acme"], "who was refused is nobody's call"


async def test_records_wait_while_metering_is_away_and_arrive_exactly_once(edge: Any, metering: Metering) -> None:
    metering.come()
    async with edge() as client:
        await until(client, 200)
        await asyncio.wait_for(_booked(metering, 1), 5)
        metering.leave()
        for _ in range(5):
            assert (await client.post("/v1/messages", json=MESSAGE)).status_code == 200
        assert "tollway_ledger_waiting 5.0" in (await client.get("/metrics")).text
        assert len(metering.booked) == 1
        metering.come()
        await asyncio.wait_for(_booked(metering, 6), 10)
    assert len({call.call_id for call in metering.booked}) == len(metering.booked) == 6


async def _booked(metering: Metering, count: int) -> None:
    while len(metering.booked) < count:
        metering.asked.clear()
        await metering.asked.wait()


async def test_what_waits_is_booked_and_stored_before_edge_ends(edge: Any, metering: Metering, others: Others) -> None:
    metering.come()
    async with edge() as client:
        await until(client, 200)
        streamed = await client.post("/v1/messages", json=MESSAGE | {"stream": True})
        assert streamed.status_code == 200
    assert [(call.status, call.is_streamed) for call in metering.booked] == [(1, False), (1, True)]
    # the body of a stream is kept over every kind of stub
    stored = [unpack(packed) for packed in others.stored]
    assert [answer.is_event_stream for answer in stored] == [False, True]
    assert stored[1].body == streamed.content


async def test_records_that_nobody_took_are_told_at_the_end(
    edge: Any, metering: Metering, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "FLUSH_SECONDS", 0.1)
    metering.come()
    with caplog.at_level(logging.ERROR):
        async with edge() as client:
            await until(client, 200)
            await asyncio.wait_for(_booked(metering, 1), 5)
            metering.leave()
            await client.post("/v1/messages", json=MESSAGE)
    assert "metering did not take the last 1 records: they are lost" in caplog.text


async def test_under_a_cap_an_absent_metering_lets_nothing_be_spent(edge: Any, metering: Metering) -> None:
    metering.cap = 1000
    metering.come()
    async with edge() as client:
        await until(client, 200)
        metering.leave()
        answer = await client.post("/v1/messages", json=MESSAGE)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert "budget" in answer.json()["error"]["message"]
        metering.come()


async def test_figures_are_the_callers_own_and_say_when_they_cannot_be_had(edge: Any, metering: Metering) -> None:
    metering.come()
    async with edge() as client:
        await until(client, 200)
        month = (await client.get("/v1/metrics")).json()
        assert (month["workspace"], month["calls"], month["cost_usd"], month["monthly_token_cap"]) == (
            "acme",
            3,
            1.5,
            100,
        )
        row = (await client.get("/v1/metrics/recent")).json()["calls"][0]
        assert (row["status"], row["usage"]["output_tokens"], row["query_id"]) == ("succeeded", 2, row["call_id"][-8:])
        metering.leave()
        for path in ("/v1/metrics", "/v1/metrics/recent"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
            assert answer.headers["x-should-retry"] == "true"
        metering.come()
