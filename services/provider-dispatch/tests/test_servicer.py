"""ProviderDispatchService as its callers see it, over every kind of stub."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest
from tollway.chat.v1 import chat_pb2
from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as pb
from tollway_provider_dispatch.bootstrap import bootstrap
from tollway_provider_dispatch.entrypoints.servicer import CONTRACT, LONG_FIELDS
from tollway_provider_dispatch.settings import DispatchConfig, Model, Settings
from tollway_servicekit.errors import InvalidRequest, NotFound, Unavailable
from tollway_servicekit.link.frames import LONG_BYTES
from tollway_servicekit.stubs import LongRequest, responses
from tollway_servicekit.testing import STUB_KINDS, stub_of

MESSAGES, CHAT = chat_pb2.DIALECT_ANTHROPIC_MESSAGES, chat_pb2.DIALECT_OPENAI_CHAT
COUNTING, RESPONSES = chat_pb2.DIALECT_ANTHROPIC_COUNT_TOKENS, chat_pb2.DIALECT_OPENAI_RESPONSES
INPUT_TOKENS = chat_pb2.DIALECT_OPENAI_INPUT_TOKENS
MODELS = {"claude-haiku": Model(["anthropic"]), "gpt-luna": Model(["openai"])}


@pytest.fixture(params=STUB_KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def call(text: str, dialect: Any = MESSAGES, **more: Any) -> pb.ChatCall:
    body = '{"model": "m","max_tokens":9000,"stream":%s,"messages":[{"role":"user","content":"%s"}]}'
    usual: dict[str, Any] = {
        "call_id": "c1",
        "dialect": dialect,
        "models": ["m"],
        "body": (body % (str("pace" in text).lower(), text)).encode(),
        "body_model": "m",
        "header_lines": b"content-type: application/json\r\nanthropic-version: 2023-06-01\r\n",
        "conversation": b"c",
    }
    return pb.ChatCall(**usual | more)


@pytest.mark.parametrize("dialect", [MESSAGES, CHAT])
async def test_a_whole_answer(simulator, settings_for, kind, dialect):
    request = pb.CompleteChatRequest(call=call("[words=3] [usage=in:100,out:50,read:20,write:5]", dialect))
    async with bootstrap(settings_for(simulator.url)) as servicer, stub_of(kind, CONTRACT, servicer) as stub:
        answer = await stub.CompleteChat(request, timeout=5)
    assert (answer.head.status, answer.head.model, answer.HasField("failure")) == (200, "m", False)
    assert answer.head.provider == ("anthropic" if dialect == MESSAGES else "openai")
    assert answer.stop_reason == ("end_turn" if dialect == MESSAGES else "stop")
    assert answer.usage == chat_pb2.Usage(
        uncached_input_tokens=100, cache_write_short_tokens=5, cache_read_tokens=20, output_tokens=50
    )
    (attempt,) = answer.attempts
    assert (attempt.outcome, attempt.usage) == (chat_pb2.ATTEMPT_OUTCOME_SUCCEEDED, answer.usage)
    assert attempt.key_fingerprint == hashlib.sha256(b"sk-secret-one").hexdigest()[:8]
    assert abs(attempt.started_unix_ms / 1000 - time.time()) < 60
    assert b"m" in answer.body
    (entry,) = await simulator.log()
    assert entry["body_sha256"] == hashlib.sha256(request.call.body).hexdigest()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, b'{"model": "m","max_tokens":9000'),
        ({"body_model": "another"}, b'{"model":"m","max_tokens":9000'),
        ({"conversation": b"", "body_model": "another"}, b'{"model":"m","max_tokens":9000'),
    ],
)
async def test_a_long_request_is_the_same_to_its_provider_wherever_its_body_lies(
    simulator, settings_for, kind, change, expected
):
    asked = call("x" * 2 * LONG_BYTES, **change)
    body, asked.body = asked.body, b""
    request = LongRequest(pb.CompleteChatRequest(call=asked), LONG_FIELDS["CompleteChat"], body)
    settings = settings_for(simulator.url, "sk-secret-one", "sk-secret-two")
    async with bootstrap(settings) as servicer, stub_of(kind, CONTRACT, servicer) as stub:
        answer = await stub.CompleteChat(request, timeout=5)
    assert answer.head.status == 200
    (entry,) = await simulator.log()
    sent = expected + body[len(b'{"model": "m","max_tokens":9000') :]
    assert entry["body_sha256"] == hashlib.sha256(sent).hexdigest()


async def test_a_long_request_is_translated_wherever_its_body_lies(simulator, settings_for, kind):
    asked = call("x" * 2 * LONG_BYTES, CHAT, models=["claude-haiku"])
    body, asked.body = asked.body, b""
    request = LongRequest(pb.CompleteChatRequest(call=asked), LONG_FIELDS["CompleteChat"], body)
    settings = settings_for(simulator.url, models=MODELS)
    async with bootstrap(settings) as servicer, stub_of(kind, CONTRACT, servicer) as stub:
        answer = await stub.CompleteChat(request, timeout=5)
    assert (answer.head.status, answer.head.provider) == (200, "anthropic")
    assert "translated" in answer.head.body_changes


async def test_a_refused_call_and_a_failed_one(simulator, settings_for, kind):
    settings = settings_for(simulator.url, config=DispatchConfig(retries=0))
    async with bootstrap(settings) as servicer, stub_of(kind, CONTRACT, servicer) as stub:
        refused = await stub.CompleteChat(pb.CompleteChatRequest(call=call("[status=429]")), timeout=5)
        failed = await stub.CompleteChat(pb.CompleteChatRequest(call=call("[cut=2]")), timeout=5)
    assert refused.head.status == 429
    assert b"retry-after: 2\r\n" in refused.head.header_lines
    assert refused.attempts[0].outcome == chat_pb2.ATTEMPT_OUTCOME_REFUSED
    assert (failed.failure.reason, failed.failure.retry_after_ms) == ("UPSTREAM_UNREACHABLE", 1000)
    assert not failed.HasField("head")
    assert failed.attempts[0].outcome == chat_pb2.ATTEMPT_OUTCOME_BROKEN
    assert failed.attempts[0].usage.estimated


async def test_a_stream(simulator, settings_for, kind):
    request = pb.StreamChatRequest(call=call("[words=5] [pace=0.001]"))
    async with (
        bootstrap(settings_for(simulator.url)) as servicer,
        stub_of(kind, CONTRACT, servicer) as stub,
        responses(stub.StreamChat(request, timeout=5)) as stream,
    ):
        head, *between, last = [item async for item in stream]
    assert (head.head.status, head.attempts[0].outcome) == (200, chat_pb2.ATTEMPT_OUTCOME_UNSPECIFIED)
    assert not any(item.HasField("head") or item.HasField("end") for item in between)
    assert (last.end.is_complete, last.end.stop_reason, last.usage.output_tokens) == (True, "end_turn", 5)
    assert last.attempts[0].outcome == chat_pb2.ATTEMPT_OUTCOME_SUCCEEDED
    data = b"".join(item.data for item in [head, *between, last])
    assert data.startswith(b"event: message_start")
    assert data.endswith(b'data: {"type":"message_stop"}\n\n')


async def test_leaving_a_stream_closes_the_upstream_connection_at_once(simulator, settings_for, kind):
    request = pb.StreamChatRequest(call=call("[words=1000] [pace=0.01]"))
    async with bootstrap(settings_for(simulator.url)) as servicer, stub_of(kind, CONTRACT, servicer) as stub:
        async with responses(stub.StreamChat(request, timeout=60)) as stream:
            seen = [await anext(stream) for _ in range(4)]
        left = time.time()
        entry = await simulator.wait(since=1, disconnected=1, timeout=5)
    assert entry["disconnected_at"] - left < 0.2
    assert seen[-1].output_tokens_so_far > 0


async def test_a_call_that_is_incomplete_or_nobody_serves_is_refused(simulator, settings_for, kind):
    async with bootstrap(settings_for(simulator.url, models=MODELS)) as servicer:
        async with stub_of(kind, CONTRACT, servicer) as stub:
            for odd in (call("x", models=[]), call("x", dialect=chat_pb2.DIALECT_UNSPECIFIED), None):
                with pytest.raises(InvalidRequest) as invalid:
                    await stub.CompleteChat(pb.CompleteChatRequest(call=odd), timeout=5)
                assert invalid.value.reason == "CALL_INCOMPLETE"
            counted = call("x", COUNTING, models=["gpt-luna"])
            with pytest.raises(NotFound) as unknown:
                await stub.CompleteChat(pb.CompleteChatRequest(call=counted), timeout=5)
            assert unknown.value.reason == "MODEL_NOT_SERVED"
            with pytest.raises(NotFound):
                async with responses(stub.StreamChat(pb.StreamChatRequest(call=counted), timeout=5)) as stream:
                    await anext(stream)
    async with bootstrap(Settings()) as servicer, stub_of(kind, CONTRACT, servicer) as stub:
        with pytest.raises(Unavailable) as unavailable:
            await stub.CompleteChat(pb.CompleteChatRequest(call=call("x")), timeout=5)
        assert unavailable.value.reason == "NO_PROVIDER"


async def test_models_are_listed_with_provider_and_dialect(settings_for, kind):
    settings = settings_for("http://127.0.0.1:1", models=MODELS, simulator_url="http://127.0.0.1:1")
    async with bootstrap(settings) as servicer, stub_of(kind, CONTRACT, servicer) as stub:
        answer = await stub.ListModels(pb.ListModelsRequest(), timeout=5)
    assert answer.providers == ["anthropic", "openai", "simulator"]
    assert list(answer.models) == [
        pb.ServedModel(name="claude-haiku", provider="anthropic", dialects=[MESSAGES, COUNTING, CHAT, RESPONSES]),
        pb.ServedModel(name="gpt-luna", provider="openai", dialects=[MESSAGES, CHAT, RESPONSES, INPUT_TOKENS]),
    ]


async def test_the_operator_sees_keys_by_fingerprint_breakers_and_latest_errors(simulator, settings_for, kind):
    settings = settings_for(simulator.url, "sk-secret-one", "sk-secret-two", models=MODELS)
    async with bootstrap(settings) as servicer, stub_of(kind, CONTRACT, servicer) as stub:
        before = await stub.ListProviders(pb.ListProvidersRequest(), timeout=5)
        asked = call("[status=401]", models=["claude-haiku"])
        refused = await stub.CompleteChat(pb.CompleteChatRequest(call=asked), timeout=5)
        after = await stub.ListProviders(pb.ListProvidersRequest(), timeout=5)
    assert [(each.name, each.models) for each in before.providers] == [
        *(("anthropic", ["claude-haiku"]), ("openai", ["gpt-luna"])),
    ]
    assert not [each for each in before.providers if each.breakers or each.last_errors]
    assert refused.failure.reason == "PROVIDER_CREDENTIALS"
    prints = [hashlib.sha256(key).hexdigest()[:8] for key in (b"sk-secret-one", b"sk-secret-two")]
    anthropic = after.providers[0]
    assert list(anthropic.key_fingerprints) == prints
    assert {each.scope for each in anthropic.breakers} == {f"anthropic/*/{each}" for each in prints}
    assert {(each.cause, each.reason) for each in anthropic.breakers} == {("bad_key", "status_401")}
    assert all(0 < each.left_ms <= 60_000 for each in anthropic.breakers)
    assert {each.scope for each in anthropic.last_errors} == {f"anthropic/claude-haiku/{each}" for each in prints}
    assert "sk-secret" not in str(after)


async def test_the_simulator_serves_both_dialects_where_it_is_the_only_provider(simulator, kind):
    async with bootstrap(Settings(simulator_url=simulator.url)) as servicer:
        async with stub_of(kind, CONTRACT, servicer) as stub:
            for dialect in (MESSAGES, CHAT):
                answer = await stub.CompleteChat(pb.CompleteChatRequest(call=call("x", dialect)), timeout=5)
                assert (answer.head.status, answer.head.provider) == (200, "simulator")
                assert answer.attempts[0].key_fingerprint == ""
