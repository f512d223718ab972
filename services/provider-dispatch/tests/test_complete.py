"""Whole answers: one call to the real simulator, or to a server that says what no provider should."""

from __future__ import annotations

import hashlib
import json
import socket
from typing import Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.header_lines import from_lines
from tollway_dialects.usage import Usage
from tollway_provider_dispatch.domain.call import Attempt, ChatCall, Outcome

KEY = "sk-secret-one"
FINGERPRINT = hashlib.sha256(KEY.encode()).hexdigest()[:8]
FORWARDED = b"content-type: application/json\r\nanthropic-version: 2023-06-01\r\nuser-agent: client/1\r\n"
DIALECTS = {Dialect.ANTHROPIC_MESSAGES: "anthropic", Dialect.OPENAI_CHAT: "openai"}


def call(dialect: Dialect, text: str, model: str = "any-model", **more: Any) -> ChatCall:
    # odd spaces, numbers and escapes: none of them may change on the way
    start = f'{{ "model" :"{model}", "max_tokens":  10000,"messages":[{{"content":"\\u00fc {text}",'
    body = (start + '"role":"user"}] , "metadata":{} }').encode()
    usual: dict[str, Any] = {
        "call_id": "c1",
        "dialect": dialect,
        "models": [model],
        "body": body,
        "body_model": model,
        "header_lines": FORWARDED,
        "query": "",
        "conversation": b"c",
        "strip_usage_event": False,
    }
    return ChatCall(**usual | more)


def told(attempt: Attempt) -> tuple[str, str, str, int, Outcome, str]:
    return (
        attempt.provider,
        attempt.model,
        attempt.key_fingerprint,
        attempt.http_status,
        attempt.outcome,
        attempt.reason,
    )


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return request.param


async def test_a_whole_answer_comes_with_usage_reason_and_attempt(simulator, dispatching, dialect):
    async with dispatching(simulator.url) as dispatcher:
        piece = await dispatcher.complete(call(dialect, "[words=9] [usage=in:100,out:50,read:20,write:5]"))
    assert (piece.head.status, piece.head.provider, piece.head.model) == (200, DIALECTS[dialect], "any-model")
    assert piece.usage == Usage(uncached_input=100, cache_write_short=5, cache_read=20, output=50)
    assert (piece.end.is_complete, piece.end.stop_reason) == (
        True,
        {"anthropic": "end_turn", "openai": "stop"}[DIALECTS[dialect]],
    )
    (attempt,) = piece.attempts
    assert told(attempt) == (DIALECTS[dialect], "any-model", FINGERPRINT, 200, Outcome.SUCCEEDED, "")
    assert attempt.usage == piece.usage
    assert (attempt.number, attempt.duration_ms >= 0) == (1, True)
    assert json.loads(piece.data)["model"] == "any-model"


async def test_the_body_leaves_as_it_came_with_the_providers_key_and_the_clients_headers(
    simulator, dispatching, dialect
):
    asked = call(dialect, "hello")
    async with dispatching(simulator.url) as dispatcher:
        piece = await dispatcher.complete(asked)
    (entry,) = await simulator.log()
    assert entry["body_sha256"] == hashlib.sha256(asked.body).hexdigest()
    assert piece.head.body_changes == ()
    assert entry["key_fingerprint"] == FINGERPRINT
    assert (entry["headers"]["user-agent"], entry["headers"]["anthropic-version"]) == ("client/1", "2023-06-01")


async def test_where_another_model_is_called_its_name_alone_is_replaced(simulator, dispatching, dialect):
    asked = call(dialect, "hello", models=["better"], body_model="any-model")
    async with dispatching(simulator.url) as dispatcher:
        piece = await dispatcher.complete(asked)
    (entry,) = await simulator.log()
    assert (entry["model"], piece.head.model, piece.head.body_changes) == ("better", "better", ("model",))
    sent = b'{"model":"better","max_tokens":10000,"messages":[{"content":"\\u00fc hello","role":"user"}],"metadata":{}}'
    assert entry["body_sha256"] == hashlib.sha256(sent).hexdigest()


async def test_a_large_body_arrives_too(simulator, dispatching, dialect):
    asked = call(dialect, "x" * (3 << 20))
    async with dispatching(simulator.url) as dispatcher:
        piece = await dispatcher.complete(asked)
    (entry,) = await simulator.log()
    assert entry["body_sha256"] == hashlib.sha256(asked.body).hexdigest()
    assert piece.usage.input > 700_000


async def test_the_query_goes_along(server, dispatching):
    server.says(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
    async with dispatching(server.url) as dispatcher:
        await dispatcher.complete(call(Dialect.ANTHROPIC_MESSAGES, "x", query="beta=true"))
    assert server.requests[0].line == "POST /v1/messages?beta=true HTTP/1.1"


@pytest.mark.parametrize(("status", "tries"), [(400, 1), (404, 1), (429, 3), (500, 4), (529, 3)])
async def test_a_sole_candidates_last_error_is_passed_on_with_its_headers_and_body(
    simulator, dispatching, dialect, status, tries
):
    async with dispatching(simulator.url) as dispatcher:
        piece = await dispatcher.complete(call(dialect, f"[status={status}]"))
    headers = {name.decode(): value.decode() for name, value in from_lines(piece.head.header_lines)}
    assert piece.head.status == status
    assert headers["content-type"] == "application/json"
    assert headers["request-id" if dialect is Dialect.ANTHROPIC_MESSAGES else "x-request-id"]
    assert headers.get("retry-after") == ("2" if status == 429 else None)
    assert json.loads(piece.data)["error"]["message"]
    assert [attempt.number for attempt in piece.attempts] == [*range(1, tries + 1)]
    for attempt in piece.attempts:
        assert told(attempt)[3:] == (status, Outcome.REFUSED, f"status_{status}")
    assert (attempt.usage, piece.usage, piece.failure) == (Usage(), Usage(), None)


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_refusal_of_the_gateways_own_key_is_none_of_the_clients(simulator, dispatching, dialect, status):
    async with dispatching(simulator.url) as dispatcher:
        piece = await dispatcher.complete(call(dialect, f"[status={status}]"))
    assert (piece.head, piece.data) == (None, b"")
    assert (piece.failure.reason, piece.failure.retry_after_ms) == ("PROVIDER_CREDENTIALS", 0)
    refused = f"provider {DIALECTS[dialect]} refused the gateway's own key (status_{status}); tell its operator"
    assert piece.failure.message == refused
    assert [told(attempt)[3:] for attempt in piece.attempts] == [(status, Outcome.REFUSED, f"status_{status}")]


async def test_a_redirect_is_no_answer_that_is_paid_for(server, dispatching):
    server.says(b"HTTP/1.1 308 X\r\nlocation: https://elsewhere/\r\ncontent-length: 4\r\n\r\nmove")
    async with dispatching(server.url) as dispatcher:
        piece = await dispatcher.complete(call(Dialect.ANTHROPIC_MESSAGES, "x"))
    assert (piece.head.status, piece.usage) == (308, Usage())
    assert piece.attempts[0].outcome is Outcome.REFUSED


async def test_an_answer_without_usage_is_estimated(server, dispatching, dialect):
    server.says(b'HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{"id": "%s"}' % (b"x" * 30))
    asked = call(dialect, "hello")
    async with dispatching(server.url) as dispatcher:
        piece = await dispatcher.complete(asked)
    assert piece.usage == Usage(uncached_input=len(asked.body) // 4, output=10, is_estimated=True)


async def test_nobody_listening_is_unreachable(dispatching, dialect):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with dispatching(f"http://127.0.0.1:{taken.getsockname()[1]}") as dispatcher:
            piece = await dispatcher.complete(call(dialect, "hello"))
    assert (piece.head, piece.end) == (None, None)
    assert (piece.failure.reason, piece.failure.retry_after_ms) == ("UPSTREAM_UNREACHABLE", 1000)
    assert piece.failure.message == f"provider {DIALECTS[dialect]} did not answer (connect_failed); try again"
    assert told(piece.attempts[0])[3:] == (0, Outcome.BROKEN, "connect_failed")
    assert piece.attempts[0].usage == piece.usage == Usage()


async def test_silence_is_a_timeout(simulator, dispatching, dialect):
    async with dispatching(simulator.url, read_timeout=0.1) as dispatcher:
        piece = await dispatcher.complete(call(dialect, "[delay=60]"))
    assert piece.failure.reason == "UPSTREAM_TIMEOUT"
    assert told(piece.attempts[0])[3:] == (0, Outcome.BROKEN, "timeout")


async def test_an_answer_cut_in_its_middle_fails_and_its_prompt_is_booked(simulator, dispatching, dialect):
    asked = call(dialect, "[words=100] [cut=40]")
    async with dispatching(simulator.url) as dispatcher:
        piece = await dispatcher.complete(asked)
    assert (piece.failure.reason, piece.head) == ("UPSTREAM_UNREACHABLE", None)
    assert told(piece.attempts[0])[3:] == (200, Outcome.BROKEN, "reset")
    assert piece.usage == piece.attempts[0].usage == Usage(uncached_input=len(asked.body) // 4, is_estimated=True)


async def test_calls_of_a_conversation_share_a_key_and_conversations_spread(simulator, dispatching, dialect):
    async with dispatching(simulator.url, "sk-1", "sk-2", "sk-3") as dispatcher:
        pieces = [
            await dispatcher.complete(call(dialect, "x", conversation=b"conversation-%d" % (number % 10)))
            for number in range(20)
        ]
    seen = [entry["key_fingerprint"] for entry in await simulator.log()]
    assert seen == [piece.attempts[0].key_fingerprint for piece in pieces]
    assert seen[:10] == seen[10:]
    assert len(set(seen)) == 3


async def test_a_conversation_without_a_name_is_known_by_its_id_or_its_start(simulator, dispatching):
    messages_dialect, chat = DIALECTS

    def turn(dialect, *texts, **fields):
        messages = [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)]
        body = json.dumps({"model": "m", "max_tokens": 9, "messages": messages, **fields}).encode()
        return call(dialect, "x", conversation=b"", body=body, workspace="acme")

    async def key_of(asked):
        return (await dispatcher.complete(asked)).attempts[0].key_fingerprint

    keys = [f"sk-{number}" for number in range(5)]
    async with dispatching(simulator.url, *keys) as dispatcher:
        starts = [f"question {number}" for number in range(20)]
        first = [await key_of(turn(messages_dialect, start)) for start in starts]
        assert [await key_of(turn(messages_dialect, start, "answer", "more")) for start in starts] == first
        assert len(set(first)) == 5
        named = {await key_of(turn(chat, start, prompt_cache_key="k")) for start in starts}
        assert len(named) == 1
        assert await key_of(call(chat, "x", conversation=b"", body=b'{"model": "m", "messages": 7}'))


async def test_no_key_is_in_what_is_told_or_logged(simulator, dispatching, dialect, caplog):
    caplog.set_level("DEBUG")
    async with dispatching(simulator.url, KEY) as dispatcher:
        pieces = [await dispatcher.complete(call(dialect, f"{what}")) for what in ("hi", "[status=401]", "[cut=1]")]
        told = f"{pieces!r} {dispatcher!r} {dispatcher.chain!r} {vars(dispatcher)!r} {vars(dispatcher.chain)!r}"
    assert KEY not in told
    assert KEY not in caplog.text
