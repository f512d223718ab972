"""A route's last resort is the answer where nobody could give one, and nothing else's."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tollway.chat.v1 import chat_pb2
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES
from tollway_edge.adapters.ledger_records import Records
from tollway_edge.adapters.prometheus_meter import PrometheusMeter
from tollway_edge.domain.answer import AnswerFailure, AnswerPiece
from tollway_edge.domain.errors import GatewayError, GatewayErrorKind
from tollway_edge.domain.route_texts import RouteTexts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tollway_edge.domain.call import Call
    from tollway_edge.domain.pipeline import Pipeline

    Serve = Callable[..., Awaitable[Call]]

SORRY = "Please come back in a minute."
TRIED = chat_pb2.Attempt(number=1, provider="anthropic", model="claude-haiku", outcome=chat_pb2.ATTEMPT_OUTCOME_REFUSED)
FAILED = AnswerPiece(
    failure=AnswerFailure("PROVIDERS_EXHAUSTED", "nobody", 1.0, "anthropic", "claude-haiku"), attempts=[TRIED]
)


@pytest.fixture
def serve(pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any) -> Serve:
    async def serve_with(piece: AnswerPiece, dialect: str = "anthropic", text: str = SORRY, **fields: Any) -> Call:
        ports.body, ports.whole, ports.pieces = make_body(**{"input": "x"} | fields), piece, [piece]
        call: Call = make_call(dialect)
        await replace(pipeline, last_resorts=RouteTexts.where_any({"claude-haiku": text})).serve(call, ports)
        return call

    return serve_with


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("dialect", ["anthropic", "openai", "openai_responses"])
async def test_where_nobody_could_answer_the_text_is_the_answer(
    serve: Serve, ports: Any, dialect: str, is_stream: bool
) -> None:
    call = await serve(FAILED, dialect, stream=is_stream)
    assert (ports.status, ports.is_ended, ports.headers[b"x-gateway-provider"]) == (200, True, b"last-resort")
    assert ports.headers[b"content-type"].startswith(b"text/event-stream" if is_stream else b"application/json")
    assert b"x-should-retry" not in ports.headers
    assert SORRY.encode() in ports.sent
    if is_stream:
        reader = WIRES[call.dialect].stream_reader(0, strip_usage=False)
        reader.feed(ports.sent)
        assert reader.is_complete
    else:
        assert json.loads(ports.sent)["model"] == "claude-haiku"


@pytest.mark.parametrize("is_answered", [False, True], ids=["nobody", "with an error"])
async def test_it_is_waited_for_before_its_call_is_booked(
    serve: Serve, ports: Any, make_piece: Any, is_answered: bool
) -> None:
    ports.is_slow = True
    await serve(make_piece(b"{}", 503) if is_answered else FAILED)
    assert ports.headers[b"x-gateway-provider"] == b"last-resort"
    assert ports.steps.index("begin") < ports.steps.index("end") < ports.steps.index("record")


async def test_it_is_booked_as_the_failure_that_it_is_and_never_stored(serve: Serve, ports: Any) -> None:
    call = await serve(FAILED)
    assert call.exact_key
    assert ports.stored == []
    assert [(row.status, row.reason, row.http_status) for row in ports.records] == [
        ("failed", "PROVIDERS_EXHAUSTED", 200)
    ]
    assert [(row.provider, row.model, row.usage.total, row.attempts) for row in ports.records] == [
        ("last-resort", "", 0, [TRIED])
    ]


async def test_what_failed_attempts_used_is_paid_for_at_their_prices(serve: Serve, ports: Any) -> None:
    await serve(AnswerPiece(failure=FAILED.failure, usage=Usage(7)))
    assert [(row.provider, row.model, row.usage.total) for row in ports.records] == [("anthropic", "claude-haiku", 7)]


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("status", [500, 503, 529])
async def test_a_failure_that_a_provider_itself_tells_is_no_answer(
    serve: Serve, ports: Any, make_piece: Any, status: int, is_stream: bool
) -> None:
    call = await serve(make_piece(b'{"type": "error"}', status=status), stream=is_stream)
    assert (ports.status, call.reason) == (200, f"UPSTREAM_STATUS_{status}")
    assert SORRY.encode() in ports.sent


@pytest.mark.parametrize("status", [400, 404, 429])
async def test_what_is_wrong_with_a_request_is_told(serve: Serve, ports: Any, make_piece: Any, status: int) -> None:
    await serve(make_piece(b'{"type": "error"}', status=status))
    assert (ports.status, ports.sent) == (status, b'{"type": "error"}')


@pytest.mark.parametrize(("text", "model"), [("", "claude-haiku"), (SORRY, "claude-opus")])
async def test_a_route_without_one_tells_the_error(serve: Serve, ports: Any, text: str, model: str) -> None:
    call = await serve(FAILED, text=text, model=model)
    assert (ports.status, ports.headers[b"x-gateway-provider"]) == (503, b"n/a")
    assert not call.is_last_resort


@pytest.mark.parametrize("dialect", ["openai_embeddings", "anthropic_count_tokens"])
async def test_a_dialect_whose_answers_are_no_texts_tells_the_error(serve: Serve, ports: Any, dialect: str) -> None:
    await serve(FAILED, dialect)
    assert ports.status == 503


async def test_a_spent_cap_is_told(serve: Serve, capped: Any, ports: Any) -> None:
    ports.failures["reserve"] = GatewayError(GatewayErrorKind.QUOTA_EXCEEDED, "QUOTA_EXCEEDED", "spent")
    await serve(FAILED)
    assert ports.status == 402


async def test_a_stream_that_has_begun_ends_in_an_error_event(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_stream: Any
) -> None:
    ports.body, ports.pieces = make_body(stream=True), [*make_stream()[:4], FAILED]
    await replace(pipeline, last_resorts=RouteTexts({"default": SORRY})).serve(make_call(), ports)
    assert SORRY.encode() not in ports.sent
    assert b"event: error" in ports.sent


async def test_it_is_counted_and_is_no_model_without_a_price(serve: Serve) -> None:
    meter = PrometheusMeter(*[lambda: 0] * 5)
    meter.observe(Records().of(await serve(FAILED), None))
    told = {sample.name: sample.value for family in meter.registry.collect() for sample in family.samples}
    assert (told["tollway_last_resorts_total"], told["tollway_unpriced_calls_total"]) == (1, 0)
