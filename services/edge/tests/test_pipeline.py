"""The order of the steps, and what leaves one out or ends the call early."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed
from tollway_dialects.usage import Usage
from tollway_edge.domain.answer import AnswerFailure, AnswerPiece, CachedAnswer, TierChoice
from tollway_edge.domain.errors import GatewayError, GatewayErrorKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_edge.domain.call import Call
    from tollway_edge.domain.pipeline import Pipeline
    from tollway_edge.domain.workspaces import Workspaces

MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi"}]}
ANSWER = json.dumps(MESSAGE | {"stop_reason": "end_turn", "usage": {"input_tokens": 10, "output_tokens": 1}}).encode()
HIT = CachedAnswer(ANSWER, "anthropic", "claude-haiku", "simple", Usage(10, output=1), 1_500_000, "exact")


async def test_a_whole_answer_goes_through_every_step_in_order(
    pipeline: Pipeline, capped: Workspaces, ports: Any, make_call: Any, make_body: Any, make_piece: Any
) -> None:
    ports.body, ports.whole = make_body(model="auto", prompt={"id": "brief"}), make_piece(ANSWER)
    call = make_call()
    await pipeline.serve(call, ports)
    steps = [
        "read_body",
        "resolve",
        "look_up",
        "classify",
        "reserve",
        "complete",
        "begin",
        "record",
        "store",
    ]
    assert ports.steps == steps
    assert (ports.status, ports.sent, call.status) == (200, ANSWER, "succeeded")
    assert (call.prompt, call.tier, call.classifier) == ("brief@3", "simple", "heuristic")
    assert list(call.models) == ["claude-haiku", "gpt-small"]
    assert json.loads(call.body.raw)["system"] == "Be brief."
    assert ports.headers[b"x-gateway-body-changes"] == b"prompt"


@pytest.mark.parametrize("hands_on", [False, True])
@pytest.mark.parametrize("is_slow", [False, True])
async def test_a_stream_reaches_its_client_piece_by_piece(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_stream: Any, hands_on: bool, is_slow: bool
) -> None:
    ports.body, ports.pieces = make_body(stream=True), make_stream()
    ports.hands_on, ports.is_slow = hands_on, is_slow
    call = make_call()
    await pipeline.serve(call, ports)
    assert ports.sent == b"".join(piece.data for piece in ports.pieces)
    assert ports.steps.index("begin") < ports.steps.index("piece 1") < ports.steps.index("send")
    assert ports.steps.count("send") == 6
    assert ports.steps.count("drained") == (6 if is_slow else 0)
    assert (ports.is_ended, ports.is_upstream_open, call.status) == (True, False, "succeeded")
    assert (call.usage, call.http_status) == (Usage(10, output=1), 200)
    assert call.first_byte > call.started


@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_hit_needs_no_reservation_and_no_provider(
    pipeline: Pipeline, capped: Workspaces, ports: Any, make_call: Any, make_body: Any, is_stream: bool
) -> None:
    ports.body, ports.cached = make_body(stream=is_stream), HIT
    call = make_call()
    await pipeline.serve(call, ports)
    assert ports.steps == ["read_body", "look_up", "begin", "record"]
    assert (ports.sent == ANSWER) != is_stream
    assert ports.headers[b"content-type"].startswith(b"text/event-stream" if is_stream else b"application/json")
    assert ports.headers[b"x-gateway-cache"] == b"exact"
    assert ports.headers[b"x-gateway-saved-usd"] == b"1.500000"
    assert (call.status, call.usage.output) == ("succeeded", 1)


@pytest.mark.parametrize("stored", [b"{}", b"no JSON", b"[]", b'{"content": 7}'])
async def test_an_entry_that_cannot_be_replayed_is_a_miss(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_stream: Any, stored: bytes
) -> None:
    ports.body, ports.cached, ports.pieces = make_body(stream=True), changed(HIT, body=stored), make_stream()
    call = make_call()
    await pipeline.serve(call, ports)
    assert (call.status, call.cache, call.saved_micro_usd) == ("succeeded", "none", 0)
    assert ports.headers[b"x-gateway-cache"] == b"none"


@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_kept_stream_is_replayed_as_it_was_sent_or_as_json(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_stream: Any, is_stream: bool
) -> None:
    events = b"".join(piece.data for piece in make_stream())
    ports.body, ports.cached = make_body(stream=is_stream), changed(HIT, body=events, is_event_stream=True)
    await pipeline.serve(make_call(), ports)
    assert ports.records[0].cache == "exact"
    if is_stream:
        assert ports.sent == events
    else:
        assert json.loads(ports.sent)["content"] == [{"type": "text", "text": "Hi"}]


async def test_a_key_without_an_answer_is_not_looked_up_and_its_answer_is_stored(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_piece: Any
) -> None:
    ports.body, ports.cached, ports.whole, ports.may_be_stored = make_body(), HIT, make_piece(ANSWER), False
    await pipeline.serve(make_call(), ports)
    assert "look_up" not in ports.steps
    assert (ports.headers[b"x-gateway-cache"], ports.stored) == (b"none", [ANSWER])


async def test_without_the_exact_cache_nothing_is_looked_up_or_stored(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_piece: Any
) -> None:
    ports.body, ports.whole = make_body(), make_piece(ANSWER)
    await replace(pipeline, limits=replace(pipeline.limits, use_exact_cache=False)).serve(make_call(), ports)
    assert not {"look_up", "store"} & set(ports.steps)


@pytest.mark.parametrize(
    ("model", "models", "tier", "classifier"),
    [
        ("claude-opus", ["claude-opus"], "n/a", "n/a"),
        ("FAST", ["claude-haiku", "gpt-small"], "simple", "n/a"),
        ("balanced", ["claude-sonnet"], "standard", "n/a"),
        ("Auto", ["claude-opus"], "standard", "heuristic"),
    ],
)
async def test_a_model_is_named_by_itself_by_a_tier_or_left_to_the_classifier(
    pipeline: Pipeline,
    ports: Any,
    make_call: Any,
    make_body: Any,
    make_piece: Any,
    model: str,
    models: list[str],
    tier: str,
    classifier: str,
) -> None:
    ports.body, ports.whole, ports.choice = make_body(model=model), make_piece(), TierChoice("complex", "heuristic")
    call = make_call()
    await pipeline.serve(call, ports)
    assert (list(call.models), call.tier, call.classifier) == (models, tier, classifier)
    assert ("classify" in ports.steps) == (model == "Auto")


@pytest.mark.parametrize(
    ("fields", "output_tokens"),
    [
        ({}, 64),
        ({"max_tokens": ...}, 4096),
        ({"max_tokens": ..., "max_completion_tokens": 100}, 100),
        ({"n": 3}, 192),
        ({"max_tokens": ..., "n": 2}, 8192),
    ],
)
async def test_under_a_cap_the_most_that_a_call_can_use_is_reserved(
    pipeline: Pipeline,
    capped: Workspaces,
    ports: Any,
    make_call: Any,
    make_body: Any,
    make_piece: Any,
    fields: dict[str, Any],
    output_tokens: int,
) -> None:
    ports.body, ports.whole = make_body(**fields), make_piece()
    await pipeline.serve(make_call("openai"), ports)
    assert ports.reserved == [(len(ports.body), output_tokens)]


async def test_without_a_cap_nothing_is_reserved(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_piece: Any
) -> None:
    ports.body, ports.whole = make_body(), make_piece()
    await pipeline.serve(make_call(), ports)
    assert "reserve" not in ports.steps


@pytest.mark.parametrize(("dialect", "word"), [("anthropic", "billing_error"), ("openai", "insufficient_quota")])
async def test_over_the_cap_no_provider_is_asked(
    pipeline: Pipeline, capped: Workspaces, ports: Any, make_call: Any, make_body: Any, dialect: str, word: str
) -> None:
    ports.body = make_body()
    ports.failures["reserve"] = GatewayError(GatewayErrorKind.QUOTA_EXCEEDED, "QUOTA_EXCEEDED", "acme has used 10000")
    await pipeline.serve(make_call(dialect), ports)
    assert (ports.status, json.loads(ports.sent)["error"]["type"]) == (402, word)
    assert ports.headers[b"x-should-retry"] == b"false"
    assert "complete" not in ports.steps
    assert [(call.status, call.reason, call.usage.total) for call in ports.records] == [("failed", "QUOTA_EXCEEDED", 0)]


@pytest.mark.parametrize("credential", ["", "tw_nobody"])
async def test_a_stranger_is_refused_before_the_body_is_read_and_books_nothing(
    pipeline: Pipeline, ports: Any, make_call: Any, credential: str
) -> None:
    await pipeline.serve(make_call(credential=credential), ports)
    assert (ports.steps, ports.status) == (["begin"], 401)


@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"messages": []}', b'{"model": "auto", "messages": [], "prompt": 7}'])
async def test_a_malformed_body_is_a_400_of_the_dialect_and_one_record(
    pipeline: Pipeline, ports: Any, make_call: Any, dialect: str, raw: bytes
) -> None:
    ports.body = raw
    await pipeline.serve(make_call(dialect), ports)
    assert ports.status == 400
    told = json.loads(ports.sent)
    assert told["error"]["type"] == "invalid_request_error"
    assert (told.get("type") == "error") == (dialect == "anthropic")
    assert [(call.status, call.reason) for call in ports.records] == [("failed", "MALFORMED")]


async def test_a_failure_before_the_first_byte_is_an_error_with_a_status(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any
) -> None:
    for is_stream in (False, True):
        ports.status, ports.sent = 0, b""
        failed = AnswerPiece(failure=AnswerFailure("UPSTREAM_BUSY", "nobody answers", 7.5), attempts=["tried"])
        ports.body, ports.whole, ports.pieces = make_body(stream=is_stream), failed, [failed]
        call = make_call()
        await pipeline.serve(call, ports)
        assert (ports.status, ports.headers[b"retry-after"]) == (503, b"8")
        assert (call.status, call.reason, call.attempts) == ("failed", "UPSTREAM_BUSY", ["tried"])


async def test_a_timeout_upstream_is_a_504(pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any) -> None:
    ports.body = make_body()
    ports.whole = AnswerPiece(failure=AnswerFailure("UPSTREAM_TIMEOUT", "too slow", None))
    await pipeline.serve(make_call(), ports)
    assert (ports.status, ports.headers[b"x-should-retry"]) == (504, b"false")


async def test_a_refusal_of_the_provider_is_passed_on_as_it_is(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_piece: Any
) -> None:
    for is_stream in (False, True):
        ports.status, ports.sent = 0, b""
        refused = make_piece(b'{"type": "error"}', status=529, stop_reason="")
        ports.body, ports.whole, ports.pieces = make_body(stream=is_stream), refused, [refused]
        call = make_call()
        await pipeline.serve(call, ports)
        assert (ports.status, ports.sent) == (529, b'{"type": "error"}')
        assert (call.status, call.reason) == ("failed", "UPSTREAM_STATUS_529")


def records_of(ports: Any) -> list[tuple[str, str]]:
    return [(call.status, call.reason) for call in ports.records]


async def test_a_stream_of_no_message_at_all_is_a_500_and_not_silence(
    pipeline: Pipeline, ports: Any, make_call: Callable[..., Call], make_body: Any
) -> None:
    ports.body = make_body(stream=True)
    await pipeline.serve(make_call(), ports)
    assert ports.status == 500
    assert records_of(ports) == [("failed", "STREAM_UNFINISHED")]
