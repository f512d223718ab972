"""Whatever breaks, and whenever the client leaves: one answer at most, one record always, and nothing bad is kept."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tollway_dialects.usage import Usage
from tollway_edge.domain.answer import AnswerEnd, AnswerFailure, AnswerPiece
from tollway_edge.domain.errors import GatewayError, GatewayErrorKind

if TYPE_CHECKING:
    from tollway_edge.domain.pipeline import Pipeline
    from tollway_edge.domain.workspaces import Workspaces

ANSWER = b'{"content": [], "stop_reason": "end_turn"}'
SECRET = "sk-of-the-provider"


@pytest.mark.parametrize(("dialect", "is_stream"), [("anthropic", False), ("openai", False), ("anthropic", True)])
@pytest.mark.parametrize("step", ["read_body", "resolve", "look_up", "classify", "reserve", "upstream"])
async def test_an_exception_in_a_port_is_a_500_that_keeps_its_text_to_itself(
    pipeline: Pipeline,
    capped: Workspaces,
    ports: Any,
    make_call: Any,
    make_body: Any,
    make_stream: Any,
    caplog: pytest.LogCaptureFixture,
    step: str,
    dialect: str,
    is_stream: bool,
) -> None:
    ports.body = make_body(model="auto", stream=is_stream, prompt={"id": "brief"})
    ports.pieces = make_stream()
    ports.failures[("piece 0" if is_stream else "complete") if step == "upstream" else step] = RuntimeError(SECRET)
    call = make_call(dialect)
    await pipeline.serve(call, ports)
    assert ports.status == 500
    error = json.loads(ports.sent)["error"]
    assert call.query_id in error["message"]
    assert SECRET not in ports.sent.decode()
    assert [(record.status, record.reason) for record in ports.records] == [("failed", "INTERNAL")]
    assert "failed unexpectedly" in caplog.text


async def test_an_exception_after_the_first_byte_ends_the_stream_in_an_error_event(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_stream: Any
) -> None:
    ports.body, ports.pieces = make_body(stream=True), make_stream()
    ports.failures["piece 3"] = RuntimeError(SECRET)
    await pipeline.serve(make_call(), ports)
    assert (ports.status, ports.is_ended, ports.is_upstream_open) == (200, True, False)
    assert b"event: error" in ports.sent
    assert SECRET.encode() not in ports.sent
    assert [(record.status, record.reason) for record in ports.records] == [("failed", "INTERNAL")]


@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
async def test_a_stream_that_was_cut_ends_in_an_error_event(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_stream: Any, dialect: str
) -> None:
    ports.body, ports.pieces = make_body(stream=True), make_stream(AnswerEnd(False, "stalled"), events=3)
    await pipeline.serve(make_call(dialect), ports)
    last = ports.sent.split(b"\n\n")[-2]
    assert b"the provider's stream broke off (stalled)" in last
    assert last.startswith(b"event: error\n") == (dialect == "anthropic")
    assert b"[DONE]" not in ports.sent
    assert ports.is_ended
    assert [(record.status, record.reason) for record in ports.records] == [("failed", "STREAM_STALLED")]
    assert ports.stored == []


async def test_a_stream_whose_end_is_missing_never_looks_complete(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_stream: Any
) -> None:
    ports.body, ports.pieces = make_body(stream=True), make_stream()[:-1]
    await pipeline.serve(make_call(), ports)
    assert b"event: error" in ports.sent
    assert [(record.status, record.reason) for record in ports.records] == [("failed", "STREAM_UNFINISHED")]


async def test_what_breaks_after_the_answer_changes_neither_answer_nor_record(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_piece: Any
) -> None:
    ports.body, ports.whole = make_body(), make_piece(ANSWER)
    ports.failures["store"] = RuntimeError(SECRET)
    with pytest.raises(RuntimeError, match=SECRET):  # for the log
        await pipeline.serve(make_call(), ports)
    assert (ports.status, ports.sent) == (200, ANSWER)
    assert [record.status for record in ports.records] == ["succeeded"]


@pytest.mark.parametrize(
    ("step", "is_dispatched"),
    [
        ("read_body", False),
        ("resolve", False),
        ("look_up", False),
        ("classify", False),
        ("reserve", False),
        ("complete", True),
        ("piece 0", True),
        ("begin", True),
        ("piece 2", True),
        ("drained", True),
    ],
)
async def test_a_client_that_leaves_is_booked_once_wherever_it_leaves(
    pipeline: Pipeline,
    capped: Workspaces,
    ports: Any,
    make_call: Any,
    make_body: Any,
    make_stream: Any,
    step: str,
    is_dispatched: bool,
) -> None:
    ports.body = make_body(model="auto", stream=step != "complete", prompt={"id": "brief"})
    ports.pieces, ports.holds_at, ports.is_slow = make_stream(), step, True
    call = make_call()
    serving = asyncio.create_task(pipeline.serve(call, ports))
    await ports.reached.wait()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert [(record.status, record.reason) for record in ports.records] == [("cancelled", "CLIENT_LEFT")]
    assert not ports.is_upstream_open
    assert ports.stored == []
    # a provider may have read the prompt once it was sent there, and not before
    estimate = Usage(uncached_input=len(call.body.raw) // 4, is_estimated=True) if is_dispatched else Usage()
    assert ports.records[0].usage == estimate


async def test_a_client_that_leaves_behind_the_last_byte_had_its_answer(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_stream: Any
) -> None:
    ports.body, ports.pieces, ports.holds_at = make_body(stream=True), make_stream(), "no more pieces"
    serving = asyncio.create_task(pipeline.serve(make_call(), ports))
    await ports.reached.wait()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert [(record.status, record.usage.is_estimated) for record in ports.records] == [("succeeded", False)]


@pytest.mark.parametrize("is_told", [True, False])
async def test_what_was_streamed_to_a_client_that_left_is_booked(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_stream: Any, is_told: bool
) -> None:
    head, first, *rest = make_stream()
    told = [AnswerPiece(usage=Usage(10, output=2, is_estimated=not is_told)), AnswerPiece(data=b"x", output_so_far=7)]
    ports.body, ports.pieces = make_body(stream=True), [head, first, *told, *rest]
    ports.holds_at = "piece 4"
    serving = asyncio.create_task(pipeline.serve(make_call(), ports))
    await ports.reached.wait()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    (record,) = ports.records
    assert record.usage == (Usage(10, output=2) if is_told else Usage(10, output=7, is_estimated=True))


@pytest.mark.parametrize(
    ("stop_reason", "is_stored"),
    [
        ("end_turn", True),
        ("max_tokens", True),
        ("tool_use", False),
        ("refusal", False),
        ("pause_turn", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("is_stream", [False, True])
async def test_only_answers_that_stand_alone_are_stored(
    pipeline: Pipeline,
    ports: Any,
    make_call: Any,
    make_body: Any,
    make_piece: Any,
    make_stream: Any,
    stop_reason: str,
    is_stored: bool,
    is_stream: bool,
) -> None:
    ports.body, ports.whole = make_body(stream=is_stream), make_piece(ANSWER, stop_reason=stop_reason)
    ports.pieces = make_stream(AnswerEnd(True, stop_reason=stop_reason))
    await pipeline.serve(make_call(), ports)
    assert ports.status == 200
    assert len(ports.stored) == is_stored


@pytest.mark.parametrize("is_stream", [False, True])
async def test_an_explicit_temperature_is_neither_looked_up_nor_stored(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_piece: Any, make_stream: Any, is_stream: bool
) -> None:
    ports.body = make_body(stream=is_stream, temperature=0.7)
    ports.whole, ports.pieces = make_piece(ANSWER), make_stream()
    await pipeline.serve(make_call(), ports)
    assert ports.status == 200
    assert not {"look_up", "store"} & set(ports.steps)


@pytest.mark.parametrize("is_stream", [False, True])
async def test_an_answer_is_stored_up_to_the_limit_and_not_above(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_piece: Any, make_stream: Any, is_stream: bool
) -> None:
    ports.body, ports.whole, ports.pieces = make_body(stream=is_stream), make_piece(ANSWER), make_stream()
    size = sum(len(piece.data) for piece in ports.pieces) if is_stream else len(ANSWER)
    for most, kept in ((size, 1), (size - 1, 0)):
        ports.stored, ports.status, ports.is_ended = [], 0, False
        await replace(pipeline, limits=replace(pipeline.limits, max_cached_bytes=most)).serve(make_call(), ports)
        assert len(ports.stored) == kept


async def test_a_stream_is_stored_as_it_was_sent(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_stream: Any
) -> None:
    ports.body, ports.pieces = make_body(stream=True), make_stream()
    await pipeline.serve(make_call(), ports)
    assert ports.stored == [b"".join(piece.data for piece in make_stream())]


async def test_an_error_answer_is_never_stored(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_piece: Any
) -> None:
    ports.body, ports.whole = make_body(), make_piece(ANSWER, status=500)
    await pipeline.serve(make_call(), ports)
    assert (ports.status, ports.stored) == (500, [])


@pytest.mark.parametrize("is_dispatched", [True, False])
async def test_a_call_that_took_too_long_is_billed_for_what_a_provider_may_have_read(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, is_dispatched: bool
) -> None:
    ports.body = make_body()
    late = GatewayError(GatewayErrorKind.TIMEOUT, "DEADLINE_EXCEEDED", "the call took too long; try again", 1)
    ports.failures["complete" if is_dispatched else "look_up"] = late
    await pipeline.serve(make_call(), ports)
    (record,) = ports.records
    assert (record.status, record.reason) == ("failed", "DEADLINE_EXCEEDED")
    assert (record.usage.uncached_input > 0, record.usage.is_estimated) == (is_dispatched, is_dispatched)


@pytest.mark.parametrize("usage", [Usage(uncached_input=9, is_estimated=True), Usage()])
async def test_what_provider_dispatch_says_of_a_failed_call_is_what_is_billed(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, usage: Usage
) -> None:
    late = AnswerFailure("UPSTREAM_TIMEOUT", "provider anthropic did not answer; try again", 1, "anthropic", "haiku")
    ports.body, ports.whole = make_body(), AnswerPiece(usage=usage, failure=late)
    await pipeline.serve(make_call(), ports)
    (record,) = ports.records
    assert (ports.status, ports.headers[b"x-gateway-provider"]) == (504, b"n/a")
    assert (record.usage, record.provider) == (usage, "anthropic" if usage.total else "")
