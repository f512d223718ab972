"""The Anthropic side, as Anthropic's own SDK sees it."""

from __future__ import annotations

from typing import Any

import anthropic
import httpx2
import pytest
from anthropic._exceptions import OverloadedError

TOOL = {
    "name": "get_weather",
    "description": "Weather of a place",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    },
}


def asking(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "any-model", "max_tokens": 1000, "messages": [{"role": "user", "content": text}], **more}


async def test_a_message_has_text_usage_and_a_request_id(simulator):
    message = await simulator.anthropic.messages.create(**asking("hello there"))
    assert len(message.content[0].text.split(" ")) == 12
    assert (message.model, message.role, message.stop_reason) == ("any-model", "assistant", "end_turn")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (len("hello there") // 4, 12)
    assert message._request_id.startswith("req_")


async def test_a_stream_adds_up_to_the_same_message(simulator):
    whole = await simulator.anthropic.messages.create(**asking("[words=50] hello"))
    async with simulator.anthropic.messages.stream(**asking("[words=50] hello")) as stream:
        texts = [text async for text in stream.text_stream]
        streamed = await stream.get_final_message()
    assert len(texts) == 50
    assert streamed.content[0].text == whole.content[0].text == "".join(texts)
    assert streamed.usage.output_tokens == whole.usage.output_tokens == 50
    assert streamed.usage.input_tokens == whole.usage.input_tokens
    assert streamed.stop_reason == "end_turn"


async def test_the_events_of_a_stream_follow_the_grammar(simulator):
    stream = await simulator.anthropic.messages.create(**asking("[words=2] hello"), stream=True)
    kinds = [event.type async for event in stream]
    assert kinds == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    async with simulator.http.post(
        f"{simulator.url}/v1/messages",
        json=asking("[words=2] hello", stream=True),
        headers={"x-api-key": "k", "anthropic-version": "2023-06-01"},
    ) as response:
        assert response.content_type == "text/event-stream"
        assert (await response.text()).count('event: ping\ndata: {"type":"ping"}\n\n') == 1


async def test_system_messages_and_tools_count_as_input(simulator):
    plain = await simulator.anthropic.messages.create(**asking("hello"))
    more = await simulator.anthropic.messages.create(**asking("hello", system="x" * 400, tools=[TOOL]))
    assert more.usage.input_tokens > plain.usage.input_tokens + 100


async def test_input_is_counted_in_utf8_bytes(simulator):
    message = await simulator.anthropic.messages.create(**asking("é" * 40))
    assert message.usage.input_tokens == 20


async def test_max_tokens_truncates_and_says_so(simulator):
    message = await simulator.anthropic.messages.create(**asking("hello", max_tokens=5))
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 5)
    assert len(message.content[0].text.split(" ")) == 5


async def test_usage_can_be_dictated(simulator):
    asked = asking("[usage=in:100,out:50,read:20,write:5] hello")
    message = await simulator.anthropic.messages.create(**asked)
    async with simulator.anthropic.messages.stream(**asked) as stream:
        streamed = await stream.get_final_message()
    for usage in (message.usage, streamed.usage):
        assert (usage.input_tokens, usage.output_tokens) == (100, 50)
        assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (20, 5)
        assert usage.cache_creation.ephemeral_5m_input_tokens == 5


async def test_echo_answers_with_the_last_user_text_without_directives(simulator):
    message = await simulator.anthropic.messages.create(**asking("[echo] one  two\nthree [unknown=1] [words=x]"))
    assert message.content[0].text == "one  two\nthree [unknown=1] [words=x]"


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_call_makes_a_round_trip(simulator, streamed):
    asked = asking("[tool] weather, please", tools=[TOOL])
    if streamed:
        async with simulator.anthropic.messages.stream(**asked) as stream:
            called = await stream.get_final_message()
    else:
        called = await simulator.anthropic.messages.create(**asked)
    assert called.stop_reason == "tool_use"
    block = called.content[0]
    assert (block.type, block.name, block.input) == ("tool_use", "get_weather", {"city": "sample", "days": 1})
    result = {"type": "tool_result", "tool_use_id": block.id, "content": [{"type": "text", "text": "rain all day"}]}
    asked["messages"] += [
        {"role": "assistant", "content": called.content},
        {"role": "user", "content": [result]},
    ]
    answer = await simulator.anthropic.messages.create(**asked)
    assert answer.stop_reason == "end_turn"
    assert "rain all day" in answer.content[0].text


async def test_a_forced_tool_is_called_and_a_forbidden_one_is_not(simulator):
    other = {**TOOL, "name": "other"}
    forced = await simulator.anthropic.messages.create(
        **asking("hello", tools=[TOOL, other], tool_choice={"type": "tool", "name": "other"})
    )
    assert forced.content[0].name == "other"
    anyone = await simulator.anthropic.messages.create(
        **asking("hello", tools=[TOOL, other], tool_choice={"type": "any"})
    )
    assert anyone.content[0].name == "get_weather"
    none = await simulator.anthropic.messages.create(
        **asking("[tool] hello", tools=[TOOL], tool_choice={"type": "none"})
    )
    assert none.content[0].type == "text"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, "authentication_error"),
        (402, anthropic.PaymentRequiredError, "billing_error"),
        (403, anthropic.PermissionDeniedError, "permission_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (529, OverloadedError, "overloaded_error"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_errors_are_typed(simulator, status, error, kind, streamed):
    with pytest.raises(error) as raised:
        await simulator.anthropic.messages.create(**asking(f"[status={status}]"), stream=streamed)
    assert raised.value.status_code == status
    assert raised.value.body["error"]["type"] == kind
    assert raised.value.request_id == raised.value.body["request_id"]
    assert raised.value.response.headers.get("retry-after") == ("2" if status == 429 else None)


async def test_a_request_without_a_key_is_401(simulator):
    async with simulator.http.post(f"{simulator.url}/v1/messages", json=asking("hello")) as response:
        assert response.status == 401
    headers = {"anthropic-version": "2023-06-01", "authorization": "Basic abc"}
    async with simulator.http.post(f"{simulator.url}/v1/messages", json=asking("hi"), headers=headers) as response:
        assert (await response.json())["error"]["type"] == "authentication_error"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"nope", "The request body is not valid JSON"),
        (b"[]", "Input should be a valid dictionary"),
        (b'{"model":"m","messages":[{"role":"user","content":"x"}]}', "max_tokens: Field required"),
        (b'{"max_tokens":1,"messages":[{"role":"user","content":"x"}]}', "model: Field required"),
        (b'{"model":"m","max_tokens":1,"messages":[]}', "messages: List should have at least 1 item"),
        (
            b'{"model":"m","max_tokens":1,"messages":[{"role":"robot","content":"x"}]}',
            "messages.0.role: Invalid enum value 'robot'",
        ),
    ],
)
async def test_a_wrong_body_is_400_and_the_field_is_named(simulator, body, message):
    headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
    async with simulator.http.post(f"{simulator.url}/v1/messages", data=body, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["error"] == {"type": "invalid_request_error", "message": message}


@pytest.mark.parametrize("version", [None, "1999-01-01"])
async def test_the_version_header_is_required(simulator, version):
    headers = {"x-api-key": "k"} | ({"anthropic-version": version} if version else {})
    async with simulator.http.post(f"{simulator.url}/v1/messages", json=asking("hi"), headers=headers) as response:
        assert response.status == 400
        assert "anthropic-version" in (await response.json())["error"]["message"]


async def test_the_newest_version_refuses_sampling_parameters(simulator):
    with pytest.raises(anthropic.BadRequestError, match="temperature: Extra inputs are not permitted"):
        await simulator.anthropic.messages.create(
            **asking("hi"), extra_body={"temperature": 1}, extra_headers={"anthropic-version": "2026-10-21"}
        )


async def test_a_cut_stream_ends_without_its_final_events(simulator):
    words = []

    async def read() -> None:
        async with simulator.anthropic.messages.stream(**asking("[words=80][cut=40] hello")) as stream:
            async for text in stream.text_stream:
                words.append(text)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(httpx2.RemoteProtocolError):
        await read()
    assert len(words) == 40
    entry = await simulator.wait(finished=1)
    assert (entry["output_tokens"], entry["completed"], entry["disconnected_at"]) == (40, False, None)


async def test_models_are_listed(simulator):
    page = await simulator.anthropic.models.list()
    assert [model.id for model in page.data] == ["simulator"]
    assert page.has_more is False
