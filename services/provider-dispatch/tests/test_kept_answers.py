"""Answers that a provider keeps go back to the account that made them, for the workspace that asked, and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tollway.chat.v1 import chat_pb2
from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as pb
from tollway_provider_dispatch.bootstrap import bootstrap
from tollway_provider_dispatch.entrypoints.servicer import CONTRACT
from tollway_servicekit.context import call_metadata
from tollway_servicekit.errors import InvalidRequest, NotFound, Unavailable
from tollway_servicekit.stubs import responses
from tollway_servicekit.testing import stub_of

KEYS = ("sk-secret-one", "sk-secret-two", "sk-secret-three")
HEADERS = b"content-type: application/json\r\n"
ACME, GLOBEX = call_metadata("acme"), call_metadata("globex")


@pytest.fixture
async def stub(simulator: Any, settings_for: Any) -> Any:
    async with bootstrap(settings_for(simulator.url, *KEYS)) as servicer, stub_of("plain", CONTRACT, servicer) as stub:
        yield stub


def call(conversation: bytes, **more: Any) -> pb.ChatCall:
    body = {"model": "gpt-6-luna", "input": "hello [words=3]", **more}
    kept_id = more.get("previous_response_id", "")
    return pb.ChatCall(
        call_id="c1",
        dialect=chat_pb2.DIALECT_OPENAI_RESPONSES,
        models=["gpt-6-luna"],
        body=json.dumps(body).encode(),
        body_model="gpt-6-luna",
        header_lines=HEADERS,
        conversation=conversation,
        kept_answer_id=kept_id,
        is_kept=body.get("store", True),
    )


async def made(stub: Any, conversation: bytes = b"a", **more: Any) -> tuple[str, str]:
    """Return the id of a new answer and the fingerprint of the key that made it."""
    answer = await stub.CompleteChat(pb.CompleteChatRequest(call=call(conversation, **more)), timeout=5, metadata=ACME)
    assert answer.head.status == 200
    return json.loads(answer.body)["id"], answer.attempts[0].key_fingerprint


def about(kept_id: str, method: str = "GET", below: str = "", query: str = "") -> pb.AskKeptAnswerRequest:
    return pb.AskKeptAnswerRequest(
        method=method, kept_answer_id=kept_id, below=below, query=query, header_lines=HEADERS
    )


async def keys_asked(simulator: Any) -> list[str]:
    """The keys of all questions about an answer, in order."""
    return [entry["key_fingerprint"] for entry in await simulator.log() if "/resp_" in entry["path"]]


async def test_each_is_read_listed_and_deleted_with_the_key_that_made_it(simulator: Any, stub: Any) -> None:
    answers = [await made(stub, bytes([number])) for number in range(12)]
    assert len({key for _, key in answers}) > 1
    for kept_id, _ in answers:
        found = await stub.AskKeptAnswer(about(kept_id), timeout=5, metadata=ACME)
        assert (found.head.status, json.loads(found.body)["id"]) == (200, kept_id)
        items = await stub.AskKeptAnswer(about(kept_id, below="input_items", query="limit=5"), timeout=5, metadata=ACME)
        assert json.loads(items.body)["object"] == "list"
    assert await keys_asked(simulator) == [key for _, key in answers for _ in range(2)]
    kept_id, key = answers[0]
    gone = await stub.AskKeptAnswer(about(kept_id, "DELETE"), timeout=5, metadata=ACME)
    assert json.loads(gone.body)["deleted"] is True
    after = await stub.AskKeptAnswer(about(kept_id), timeout=5, metadata=ACME)
    assert after.head.status == 404
    assert (await keys_asked(simulator))[-2:] == [key, key]


async def test_a_call_that_goes_on_from_one_goes_to_the_key_that_made_it(stub: Any) -> None:
    first, key = await made(stub, b"a")
    followers = [await made(stub, bytes([number]), previous_response_id=first) for number in range(12)]
    assert {follower for _, follower in followers} == {key}


async def test_a_streamed_answer_is_known_as_soon_as_its_id_is_told(stub: Any) -> None:
    request = pb.StreamChatRequest(call=call(b"a", stream=True))
    async with responses(stub.StreamChat(request, timeout=5, metadata=ACME)) as stream:
        data = b""
        async for item in stream:
            data += item.data
            if b"resp_" in data:
                break
        event = json.loads(data.partition(b"data: ")[2].partition(b"\n\n")[0])
        found = await stub.AskKeptAnswer(about(event["response"]["id"]), timeout=5, metadata=ACME)
    assert found.head.status in (200, 404)  # the provider may keep it once it is whole


@pytest.mark.parametrize("kept_id", ["resp_nobody", "r" * 5000, "../models", "resp_1?x=y"])
async def test_what_no_account_made_is_nobodys(simulator: Any, stub: Any, kept_id: str) -> None:
    with pytest.raises(NotFound) as unknown:
        await stub.AskKeptAnswer(about(kept_id), timeout=5, metadata=ACME)
    assert unknown.value.reason == "KEPT_ANSWER_UNKNOWN"
    with pytest.raises(NotFound):
        await made(stub, previous_response_id=kept_id)
    assert await simulator.log() == []


async def test_no_workspace_sees_what_another_one_asked(simulator: Any, stub: Any) -> None:
    kept_id, _ = await made(stub)
    for method, below in (("GET", ""), ("GET", "input_items"), ("DELETE", ""), ("POST", "cancel")):
        with pytest.raises(NotFound):
            await stub.AskKeptAnswer(about(kept_id, method, below), timeout=5, metadata=GLOBEX)
    follower = pb.CompleteChatRequest(call=call(b"a", previous_response_id=kept_id))
    with pytest.raises(NotFound):
        await stub.CompleteChat(follower, timeout=5, metadata=GLOBEX)
    assert len(await simulator.log()) == 1


async def test_what_is_not_stored_is_not_remembered(stub: Any) -> None:
    kept_id, _ = await made(stub, store=False)
    with pytest.raises(NotFound):
        await stub.AskKeptAnswer(about(kept_id), timeout=5, metadata=ACME)


async def test_an_account_whose_key_is_gone_is_nobodys(simulator: Any, settings_for: Any, redis_url: str) -> None:
    settings = settings_for(simulator.url, *KEYS, state_redis_url=redis_url)
    async with bootstrap(settings) as servicer, stub_of("local", CONTRACT, servicer) as stub:
        kept_id, _ = await made(stub)
    async with bootstrap(settings) as servicer, stub_of("local", CONTRACT, servicer) as stub:
        found = await stub.AskKeptAnswer(about(kept_id), timeout=5, metadata=ACME)
        assert found.head.status == 200, "it is not remembered over a restart"
    fewer = settings_for(simulator.url, "sk-secret-new", state_redis_url=redis_url)
    async with bootstrap(fewer) as servicer, stub_of("local", CONTRACT, servicer) as stub:
        with pytest.raises(NotFound):
            await stub.AskKeptAnswer(about(kept_id), timeout=5, metadata=ACME)


async def test_without_its_redis_answers_are_given_and_none_is_found(simulator: Any, settings_for: Any) -> None:
    settings = settings_for(simulator.url, state_redis_url="redis://127.0.0.1:1/0")
    async with bootstrap(settings) as servicer, stub_of("local", CONTRACT, servicer) as stub:
        kept_id, _ = await made(stub)
        with pytest.raises(Unavailable) as unavailable:
            await stub.AskKeptAnswer(about(kept_id), timeout=5, metadata=ACME)
        assert unavailable.value.reason == "ACCOUNTS_UNAVAILABLE"


async def test_a_provider_that_does_not_answer_is_told(settings_for: Any, simulator: Any, redis_url: str) -> None:
    async with bootstrap(settings_for(simulator.url, state_redis_url=redis_url)) as servicer:
        async with stub_of("local", CONTRACT, servicer) as stub:
            kept_id, _ = await made(stub)
    async with bootstrap(settings_for("http://127.0.0.1:1", state_redis_url=redis_url)) as servicer:
        async with stub_of("local", CONTRACT, servicer) as stub:
            answer = await stub.AskKeptAnswer(about(kept_id), timeout=5, metadata=ACME)
    assert answer.failure.reason == "UPSTREAM_UNREACHABLE"
    assert not answer.HasField("head")


@pytest.mark.parametrize("odd", [about(""), about("resp_1", "")])
async def test_a_question_without_id_or_method_is_refused(stub: Any, odd: pb.AskKeptAnswerRequest) -> None:
    with pytest.raises(InvalidRequest):
        await stub.AskKeptAnswer(odd, timeout=5, metadata=ACME)
