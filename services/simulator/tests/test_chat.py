"""The OpenAI side, as OpenAI's own SDK sees it."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "metric": {"type": "boolean"}}},
    },
}


def asking(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "any-model", "messages": [{"role": "user", "content": text}], **more}


async def test_a_completion_has_text_usage_and_a_request_id(simulator):
    completion = await simulator.openai.chat.completions.create(**asking("hello there"))
    assert len(completion.choices[0].message.content.split(" ")) == 12
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model == "any-model"
    usage = completion.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (2, 12, 14)
    assert completion._request_id.startswith("req_")


async def test_a_stream_says_role_first_and_usage_last(simulator):
    stream = await simulator.openai.chat.completions.create(
        **asking("[words=50] hello"), stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len([chunk for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]) == 50
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 50
    assert all(chunk.usage is None for chunk in chunks[:-1])


async def test_usage_is_streamed_only_when_asked_for(simulator):
    stream = await simulator.openai.chat.completions.create(**asking("hello"), stream=True)
    chunks = [chunk async for chunk in stream]
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    body = asking("hello", stream=True)
    headers = {"authorization": "Bearer k"}
    async with simulator.http.post(f"{simulator.url}/v1/chat/completions", json=body, headers=headers) as response:
        text = await response.text()
    assert '"usage"' not in text
    assert text.endswith("data: [DONE]\n\n")


async def test_cached_tokens_are_part_of_prompt_tokens(simulator):
    completion = await simulator.openai.chat.completions.create(**asking("[usage=in:100,out:50,read:20,write:5]"))
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (125, 50)
    assert completion.usage.prompt_tokens_details.cached_tokens == 20


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
async def test_a_limit_truncates_and_says_so(simulator, limit):
    completion = await simulator.openai.chat.completions.create(**asking("hello", **{limit: 5}))
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage.completion_tokens == 5


async def test_text_parts_and_a_model_with_strange_characters_survive(simulator):
    parts = [
        {"type": "text", "text": '[echo] 100% "é"'},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]
    stream = await simulator.openai.chat.completions.create(
        model='50%d "x"', messages=[{"role": "user", "content": parts}], stream=True
    )
    chunks = [chunk async for chunk in stream]
    assert {chunk.model for chunk in chunks} == {'50%d "x"'}
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == '100% "é"'


async def test_a_tool_call_makes_a_round_trip(simulator):
    asked = asking("[tool] weather, please", tools=[TOOL])
    called = await simulator.openai.chat.completions.create(**asked)
    assert called.choices[0].finish_reason == "tool_calls"
    call = called.choices[0].message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == (
        "get_weather",
        {"city": "sample", "metric": True},
    )
    asked["messages"] += [
        called.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "rain all day"},
    ]
    answer = await simulator.openai.chat.completions.create(**asked)
    assert answer.choices[0].finish_reason == "stop"
    assert "rain all day" in answer.choices[0].message.content


async def test_a_streamed_tool_call_comes_in_pieces(simulator):
    async with simulator.openai.chat.completions.stream(**asking("[tool] x", tools=[TOOL])) as stream:
        pieces = [event async for event in stream if event.type == "tool_calls.function.arguments.delta"]
        completion = await stream.get_final_completion()
    call = completion.choices[0].message.tool_calls[0]
    assert len(pieces) > 5
    assert json.loads(call.function.arguments) == {"city": "sample", "metric": True}
    assert call.id.startswith("call_")


async def test_a_forced_tool_is_called_and_a_missing_one_refused(simulator):
    create = simulator.openai.chat.completions.create
    required = await create(**asking("hello", tools=[TOOL], tool_choice="required"))
    assert required.choices[0].finish_reason == "tool_calls"
    none = await create(**asking("[tool]", tools=[TOOL], tool_choice="none"))
    assert none.choices[0].finish_reason == "stop"
    with pytest.raises(openai.BadRequestError, match="not in tools"):
        await create(
            **asking("hello", tools=[TOOL], tool_choice={"type": "function", "function": {"name": "get_news"}})
        )


@pytest.mark.parametrize(
    ("status", "error", "kind", "code"),
    [
        (400, openai.BadRequestError, "invalid_request_error", None),
        (401, openai.AuthenticationError, "invalid_request_error", "invalid_api_key"),
        (402, openai.APIStatusError, "insufficient_quota", "insufficient_quota"),
        (404, openai.NotFoundError, "invalid_request_error", "model_not_found"),
        (429, openai.RateLimitError, "requests", "rate_limit_exceeded"),
        (503, openai.InternalServerError, "server_error", None),
        (529, openai.InternalServerError, "server_error", None),
    ],
)
async def test_errors_are_typed(simulator, status, error, kind, code):
    with pytest.raises(error) as raised:
        await simulator.openai.chat.completions.create(**asking(f"[status={status}]"))
    assert (raised.value.status_code, raised.value.type, raised.value.code) == (status, kind, code)
    assert raised.value.request_id.startswith("req_")
    assert raised.value.response.headers.get("retry-after") == ("2" if status == 429 else None)


async def test_a_request_without_a_key_is_401(simulator):
    async with simulator.http.post(f"{simulator.url}/v1/chat/completions", json=asking("hi")) as response:
        assert response.status == 401
        assert (await response.json())["error"]["code"] == "invalid_api_key"


async def test_a_missing_field_is_named(simulator):
    headers = {"authorization": "Bearer k"}
    async with simulator.http.post(
        f"{simulator.url}/v1/chat/completions", json={"model": "m"}, headers=headers
    ) as response:
        assert response.status == 400
        assert (await response.json())["error"] == {
            "message": "Missing required parameter: 'messages'.",
            "type": "invalid_request_error",
            "param": "messages",
            "code": "missing_required_parameter",
        }


async def test_a_cut_stream_is_a_broken_connection(simulator):
    words = []
    stream = await simulator.openai.chat.completions.create(**asking("[cut=7] hello"), stream=True)

    async def read() -> None:
        async for chunk in stream:
            words.append(chunk.choices[0].delta.content)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(openai.APIConnectionError):
        await read()
    assert len(list(filter(None, words))) == 7


async def test_a_cut_json_answer_is_a_broken_connection(simulator):
    with pytest.raises(openai.APIConnectionError):
        await simulator.openai.chat.completions.create(**asking("[cut=7] hello"))


async def test_models_are_listed(simulator):
    page = await simulator.openai.models.list()
    assert [(model.id, model.object) for model in page.data] == [("simulator", "model")]


async def test_an_unknown_path_is_404_and_a_wrong_method_405(simulator):
    headers = {"authorization": "Bearer k"}
    async with simulator.http.get(f"{simulator.url}/v1/nothing", headers=headers) as response:
        assert response.status == 404
    async with simulator.http.get(f"{simulator.url}/v1/chat/completions", headers=headers) as response:
        assert response.status == 405
