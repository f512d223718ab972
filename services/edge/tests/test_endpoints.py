"""What the pipeline does otherwise for token counts, embeddings and Responses."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES
from tollway_edge.domain.answer import AnswerEnd, AnswerHead, AnswerPiece, CachedAnswer

if TYPE_CHECKING:
    from tollway_edge.domain.pipeline import Pipeline
    from tollway_edge.domain.workspaces import Workspaces

COUNTING, EMBEDDINGS, RESPONSES = "anthropic_count_tokens", "openai_embeddings", "openai_responses"
RESPONSE = {"id": "resp_1", "object": "response", "status": "completed", "output": [], "usage": {"input_tokens": 3}}
VECTORS = b'{"object":"list","data":[],"usage":{"prompt_tokens":8}}'


@pytest.mark.parametrize(
    ("dialect", "fields", "reserved"),
    [
        (COUNTING, {}, []),
        (EMBEDDINGS, {"input": ["x"], "max_tokens": ...}, [(0, 0)]),
        (RESPONSES, {"input": "x", "max_output_tokens": 50}, [(0, 50)]),
        (RESPONSES, {"input": "x"}, [(0, 4096)]),
        (RESPONSES, {"input": "x", "previous_response_id": None}, [(0, 4096)]),
        (RESPONSES, {"input": "x", "previous_response_id": "resp_0"}, [(9_000_000, 4096)]),
        (RESPONSES, {"input": "x", "conversation": {"id": "conv_0"}}, [(9_000_000, 4096)]),
        (RESPONSES, {"prompt": {"id": "pmpt_1", "version": "2"}}, [(9_000_000, 4096)]),
    ],
)
async def test_each_endpoint_reserves_what_it_can_spend(
    pipeline: Pipeline,
    capped: Workspaces,
    ports: Any,
    make_call: Any,
    make_body: Any,
    make_piece: Any,
    dialect: str,
    fields: dict[str, Any],
    reserved: list[tuple[int, int]],
) -> None:
    ports.body, ports.whole = make_body(**fields), make_piece()
    limited = replace(pipeline, limits=replace(pipeline.limits, kept_input_tokens=9_000_000))
    await limited.serve(make_call(dialect), ports)
    assert ports.status == 200
    assert ports.reserved == [(len(ports.body) + kept, output) for kept, output in reserved]


async def test_what_goes_on_after_its_answer_is_not_begun_under_a_cap(
    pipeline: Pipeline, capped: Workspaces, ports: Any, make_call: Any, make_body: Any
) -> None:
    ports.body = make_body(input="x", background=True)
    await pipeline.serve(make_call(RESPONSES), ports)
    assert ports.status == 400
    assert json.loads(ports.sent)["error"]["message"].startswith("background: ")
    assert "complete" not in ports.steps
    assert [call.reason for call in ports.records] == ["BACKGROUND_UNDER_CAP"]


async def test_without_a_cap_it_is_passed_on(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_piece: Any
) -> None:
    ports.body, ports.whole = make_body(input="x", background=True), make_piece(stop_reason="queued")
    await pipeline.serve(make_call(RESPONSES), ports)
    assert (ports.status, ports.stored) == (200, [])


async def test_a_client_that_leaves_a_token_count_owes_nothing(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any
) -> None:
    ports.body, ports.holds_at = make_body(), "complete"
    serving = asyncio.create_task(pipeline.serve(make_call(COUNTING), ports))
    await asyncio.wait_for(ports.reached.wait(), 5)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert [(call.status, call.usage) for call in ports.records] == [("cancelled", Usage())]


@pytest.mark.parametrize("dialect", [COUNTING, EMBEDDINGS])
async def test_where_nothing_streams_stream_is_passed_on_and_the_answer_is_whole(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_piece: Any, dialect: str
) -> None:
    ports.body, ports.whole = make_body(stream=True, input="x"), make_piece(VECTORS, stop_reason="list")
    call = make_call(dialect)
    await pipeline.serve(call, ports)
    assert (ports.sent, call.body.raw, call.is_stream) == (VECTORS, ports.body, False)
    assert (VECTORS in ports.stored) == (dialect == EMBEDDINGS)
    assert ("look_up" in ports.steps) == (dialect == EMBEDDINGS)


@pytest.mark.parametrize("stored", [False, True])
async def test_only_a_response_that_nobody_stores_is_kept(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_piece: Any, stored: bool
) -> None:
    answer = json.dumps(RESPONSE).encode()
    ports.body = make_body(input="x", **({} if stored else {"store": False}))
    ports.whole = make_piece(answer, stop_reason="completed")
    await pipeline.serve(make_call(RESPONSES), ports)
    assert ports.stored == ([] if stored else [answer])


@pytest.mark.parametrize("is_event_stream", [False, True])
@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_kept_response_is_given_in_the_form_that_is_asked_for(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, is_stream: bool, is_event_stream: bool
) -> None:
    body = json.dumps(RESPONSE).encode()
    call = make_call(RESPONSES)
    kept = call.wire.to_events(body, with_usage=True) if is_event_stream else body
    ports.cached = CachedAnswer(kept, "openai", "m", "n/a", Usage(3), 0, "exact", is_event_stream)
    ports.body = make_body(input="x", store=False, stream=is_stream)
    await pipeline.serve(call, ports)
    assert call.cache == "exact"
    assert ports.headers[b"x-request-id"] == f"req_{call.call_id}".encode()
    if is_stream:
        assert ports.sent == call.wire.to_events(body, with_usage=True)
    else:
        assert json.loads(ports.sent) == RESPONSE


async def test_a_kept_answer_nested_too_deeply_is_a_miss(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_stream: Any
) -> None:
    deep = b'{"content":%s}' % (b"[" * 5000 + b"]" * 5000)
    ports.cached = CachedAnswer(deep, "anthropic", "m", "n/a", Usage(3), 0, "exact")
    ports.body, ports.pieces = make_body(stream=True), make_stream()
    await pipeline.serve(make_call(), ports)
    assert [(call.status, call.cache) for call in ports.records] == [("succeeded", "none")]


def events(*kinds: str) -> list[AnswerPiece]:
    head = AnswerHead(200, b"content-type: text/event-stream\r\n", "openai", "m")
    written = [
        f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': number})}\n\n".encode()
        for number, kind in enumerate(kinds)
    ]
    return [AnswerPiece(head=head), *(AnswerPiece(data=event) for event in written)]


@pytest.mark.parametrize("ending", ["told", "lost"])
async def test_the_error_event_of_a_broken_response_has_the_next_number(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, ending: str
) -> None:
    ports.body, ports.pieces = make_body(stream=True, input="x"), events("response.created", "response.in_progress")
    if ending == "told":
        ports.pieces.append(AnswerPiece(end=AnswerEnd(False, "reset")))
    await pipeline.serve(make_call(RESPONSES), ports)
    last = ports.sent.split(b"\n\n")[-2]
    assert last.startswith(b"event: error\ndata: ")
    told = json.loads(last.partition(b"data: ")[2])
    assert (told["type"], told["sequence_number"]) == ("error", 2)
    assert ports.is_ended


async def test_a_response_that_the_provider_called_failed_ends_there(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any
) -> None:
    end = AnswerPiece(end=AnswerEnd(False, "server_error"))
    ports.body, ports.pieces = make_body(stream=True, input="x"), [*events("response.created", "response.failed"), end]
    await pipeline.serve(make_call(RESPONSES), ports)
    assert b"event: error" not in ports.sent
    assert [(call.status, call.reason) for call in ports.records] == [("failed", "STREAM_SERVER_ERROR")]
    assert ports.is_ended


@pytest.mark.parametrize("dialect", WIRES)
async def test_every_dialect_refuses_in_its_vendors_shape(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, dialect: str
) -> None:
    ports.body = make_body(model=7)
    await pipeline.serve(make_call(dialect), ports)
    told, is_anthropic = json.loads(ports.sent), dialect.startswith("anthropic")
    assert (ports.status, told["error"]["type"]) == (400, "invalid_request_error")
    assert (told.get("type") == "error") == is_anthropic
    assert (b"request-id" if is_anthropic else b"x-request-id") in ports.headers
