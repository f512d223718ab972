"""Token counts, embeddings and Responses, to the real simulator and to a server that says what a test gives it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.usage import Usage
from tollway_provider_dispatch.domain.call import ChatCall, Outcome

COUNTING, EMBEDDINGS = Dialect.ANTHROPIC_COUNT_TOKENS, Dialect.OPENAI_EMBEDDINGS
RESPONSES, INPUT_TOKENS = Dialect.OPENAI_RESPONSES, Dialect.OPENAI_INPUT_TOKENS
LINES = {
    COUNTING: "POST /v1/messages/count_tokens HTTP/1.1",
    EMBEDDINGS: "POST /v1/embeddings HTTP/1.1",
    RESPONSES: "POST /v1/responses HTTP/1.1",
    INPUT_TOKENS: "POST /v1/responses/input_tokens HTTP/1.1",
}
TOLD = {"input_tokens": 60, "input_tokens_details": {"cached_tokens": 32}, "output_tokens": 9}
USED = Usage(uncached_input=28, cache_read=32, output=9)


def call(dialect: Dialect, **fields: Any) -> ChatCall:
    body = json.dumps({"model": "m", **fields}).encode()
    headers = b"content-type: application/json\r\nanthropic-version: 2023-06-01\r\n"
    return ChatCall("c1", dialect, ["m"], body, "m", headers, "", b"c", strip_usage_event=False)


def says(body: bytes, content_type: bytes = b"application/json") -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n%s" % (content_type, len(body), body)


@pytest.mark.parametrize(
    ("dialect", "answer", "usage", "reason"),
    [
        (COUNTING, {"input_tokens": 2095}, Usage(), ""),
        (INPUT_TOKENS, {"object": "response.input_tokens", "input_tokens": 11}, Usage(), ""),
        (EMBEDDINGS, {"object": "list", "data": [], "usage": {"prompt_tokens": 8}}, Usage(8), "list"),
        (RESPONSES, {"status": "completed", "output": [], "usage": TOLD}, USED, "completed"),
    ],
)
async def test_a_whole_answer_comes_with_its_usage(server, dispatching, dialect, answer, usage, reason):
    body = json.dumps(answer).encode()
    server.says(says(body))
    async with dispatching(server.url) as dispatcher:
        piece = await dispatcher.complete(call(dialect))
    assert server.requests[0].line == LINES[dialect]
    assert (piece.data, piece.usage, piece.end.stop_reason) == (body, usage, reason)
    assert (piece.attempts[0].usage, piece.attempts[0].outcome) == (usage, Outcome.SUCCEEDED)


async def test_a_response_that_is_only_queued_is_an_estimate(server, dispatching):
    server.says(says(b'{"id":"resp_1","status":"queued","output":[],"usage":null}'))
    async with dispatching(server.url) as dispatcher:
        piece = await dispatcher.complete(call(RESPONSES, background=True))
    assert (piece.end.stop_reason, piece.usage.is_estimated) == ("queued", True)


async def test_a_token_count_that_broke_off_costs_nothing(server, dispatching):
    async def cut(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
        writer.close()

    server.answer = cut
    async with dispatching(server.url) as dispatcher:
        piece = await dispatcher.complete(call(COUNTING))
    assert piece.failure.reason == "UPSTREAM_UNREACHABLE"
    assert (piece.attempts[0].outcome, piece.attempts[0].usage) == (Outcome.BROKEN, Usage())


@pytest.mark.parametrize(
    ("final", "outcome", "reason"),
    [
        ({"type": "response.completed", "response": {"status": "completed", "usage": TOLD}}, Outcome.SUCCEEDED, ""),
        (
            {"type": "response.failed", "response": {"status": "failed", "error": {"code": "oops"}, "usage": TOLD}},
            Outcome.BROKEN,
            "oops",
        ),
        (None, Outcome.BROKEN, "ended_early"),
    ],
)
async def test_a_response_streams_to_its_final_event(server, dispatching, final, outcome, reason):
    seen = [{"type": "response.created"}, {"type": "response.output_text.delta", "delta": "12345678"}]
    seen += [final] if final else []
    events = b"".join(b"event: %s\ndata: %s\n\n" % (e["type"].encode(), json.dumps(e).encode()) for e in seen)
    server.says(says(events, b"text/event-stream"))
    async with dispatching(server.url) as dispatcher:
        pieces = [piece async for piece in dispatcher.stream(call(RESPONSES, stream=True))]
    assert b"".join(piece.data for piece in pieces) == events
    *_, attempt = pieces[-1].attempts
    assert (attempt.outcome, attempt.reason) == (outcome, reason)
    assert (pieces[-1].usage == USED) == (final is not None)
    assert pieces[-1].end.is_complete == (outcome is Outcome.SUCCEEDED)


@pytest.mark.parametrize("dialect", LINES)
async def test_the_simulator_serves_every_endpoint(simulator, dispatching, dialect):
    fields = {"messages": [{"role": "user", "content": "hello there"}]} if dialect is COUNTING else {"input": "hello"}
    async with dispatching(simulator.url) as dispatcher:
        piece = await dispatcher.complete(call(dialect, **fields))
    assert piece.head.status == 200
    assert (piece.usage.input > 0) == (dialect not in (COUNTING, INPUT_TOKENS))
    assert not piece.usage.is_estimated
