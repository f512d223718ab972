"""DeepSeek, OpenRouter and HuggingFace, as OpenAI's SDK sees them, and what they say otherwise than OpenAI."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
BASES = {"deepseek": "/deepseek", "openrouter": "/openrouter/api/v1", "huggingface": "/huggingface/v1"}


async def client(simulator, face: str) -> AsyncIterator[Any]:
    async with AsyncOpenAI(base_url=simulator.url + BASES[face], api_key="k", max_retries=0) as made:
        yield made


@pytest.fixture
async def deepseek(simulator) -> AsyncIterator[Any]:
    async for made in client(simulator, "deepseek"):
        yield made.chat.completions


@pytest.fixture
async def openrouter(simulator) -> AsyncIterator[Any]:
    async for made in client(simulator, "openrouter"):
        yield made.chat.completions


@pytest.fixture
async def huggingface(simulator) -> AsyncIterator[Any]:
    async for made in client(simulator, "huggingface"):
        yield made.chat.completions


@pytest.fixture(params=list(BASES))
async def any_face(request: pytest.FixtureRequest, simulator) -> AsyncIterator[Any]:
    async for made in client(simulator, request.param):
        yield made


def asking(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


async def raw_of(simulator, face: str, body: dict[str, Any], path: str = "/chat/completions") -> tuple[Any, bytes]:
    url = simulator.url + BASES[face] + path
    async with simulator.http.post(url, json=body, headers={"authorization": "Bearer k"}) as response:
        return response, await response.read()


async def test_the_sdk_reads_answers_streams_calls_and_models(any_face):
    create = any_face.chat.completions.create
    whole = await create(**asking("[words=4] hello"))
    assert whole.choices[0].message.content == "the sun was low"
    stream = await create(**asking("[words=4] hello"), stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]
    said = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert said == "the sun was low"
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens
    async with any_face.chat.completions.stream(**asking("[tools=2] hello", tools=[TOOL])) as calling:
        calls = (await calling.get_final_completion()).choices[0].message.tool_calls
    assert [call.function.arguments for call in calls] == ["{}", "{}"]
    assert [model.id async for model in any_face.models.list()] == ["simulator"]


async def test_deepseek_shows_its_thinking_unless_told_not_to(deepseek):
    whole = await deepseek.create(**asking("hello"))
    assert len(whole.choices[0].message.reasoning_content.split()) == 6
    assert whole.usage.completion_tokens_details.reasoning_tokens == 6
    stream = await deepseek.create(**asking("[words=2] hello"), stream=True)
    deltas = [chunk.choices[0].delta.model_dump(exclude_none=True) async for chunk in stream]
    named = [name for delta in deltas for name in ("reasoning_content", "content") if delta.get(name)]
    assert named == ["reasoning_content"] * 6 + ["content"] * 2
    quiet = await deepseek.create(**asking("hello"), extra_body={"thinking": {"type": "disabled"}})
    assert "reasoning_content" not in quiet.choices[0].message.model_dump()


async def test_deepseek_wants_the_thinking_of_a_turn_with_calls_back(deepseek):
    asked = asking("[tool] x", tools=[TOOL])
    called = (await deepseek.create(**asked)).choices[0].message.model_dump(exclude_none=True)
    result = {"role": "tool", "tool_call_id": called["tool_calls"][0]["id"], "content": "1"}
    asked["messages"] += [called, result]
    assert (await deepseek.create(**asked)).choices[0].message.content == "the tool says: 1"
    del called["reasoning_content"]
    with pytest.raises(openai.BadRequestError, match="must be passed back"):
        await deepseek.create(**asked)
    called["reasoning_content"] = ""
    assert await deepseek.create(**asked)


async def test_deepseek_says_what_its_cache_had(deepseek):
    long = asking("word " * 400) | {"model": "deepseek-flash"}
    first, second = [(await deepseek.create(**long)).usage for _ in range(2)]
    assert (first.prompt_cache_hit_tokens, first.prompt_cache_miss_tokens) == (0, 500)
    assert (second.prompt_cache_hit_tokens, second.prompt_cache_miss_tokens) == (500, 0)
    assert (second.prompt_tokens, second.prompt_tokens_details.cached_tokens) == (500, 500)


async def test_deepseek_sends_signs_of_life_first(simulator):
    _, streamed = await raw_of(simulator, "deepseek", asking("hello", stream=True))
    assert streamed.startswith(b": keep-alive\n\ndata: ")
    _, whole = await raw_of(simulator, "deepseek", asking("hello"))
    assert whole.startswith(b"\n\n{")


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/chat/completions", "/beta/chat/completions"])
async def test_deepseek_has_more_than_one_path(simulator, path):
    assert (await raw_of(simulator, "deepseek", asking("hello"), path))[0].status == 200


async def test_deepseek_has_errors_of_its_own(deepseek):
    with pytest.raises(openai.APIStatusError, match="Insufficient Balance") as broke:
        await deepseek.create(**asking("[status=402]"))
    assert broke.value.status_code == 402
    with pytest.raises(openai.UnprocessableEntityError, match="Failed to deserialize"):
        await deepseek.create(**asking("hello", temperature="hot"))
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    with pytest.raises(openai.BadRequestError, match="response_format type is unavailable"):
        await deepseek.create(**asking("hello", response_format=form))


async def test_openrouter_says_who_served_and_what_it_cost(simulator, openrouter):
    whole = await openrouter.with_raw_response.create(**asking("hello there"))
    answer = whole.parse()
    assert (answer.provider, answer.id) == ("Simulator", whole.headers["x-generation-id"])
    assert answer.id.startswith("gen-")
    usage = answer.usage
    assert usage.cost == pytest.approx(usage.prompt_tokens * 1e-6 + usage.completion_tokens * 2e-6)
    assert (usage.is_byok, usage.cost_details["upstream_inference_cost"]) == (False, None)


async def test_openrouter_reports_usage_unasked_in_a_chunk_with_a_choice(simulator):
    _, raw = await raw_of(simulator, "openrouter", asking("[words=2] hello", stream=True))
    assert raw.startswith(b": OPENROUTER PROCESSING\n\n")
    chunks = [json.loads(line[6:]) for line in raw.splitlines() if line.startswith(b"data: {")]
    finishes = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert finishes == [None, None, "stop", "stop"]
    assert ["usage" in chunk for chunk in chunks] == [False, False, False, True]
    assert chunks[-1]["usage"]["cost"] > 0
    assert raw.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("words", [0, 3])
async def test_openrouter_fails_inside_a_stream_of_200(simulator, words):
    text = f"[words=9][fail={words}][error=server_error]"
    response, raw = await raw_of(simulator, "openrouter", asking(text, stream=True))
    chunks = [json.loads(line[6:]) for line in raw.splitlines() if line.startswith(b"data: {")]
    assert (response.status, len(chunks)) == (200, words + 1)
    assert chunks[-1]["error"]["code"] == "server_error"
    assert chunks[-1]["choices"][0]["finish_reason"] == "error"
    assert b"[DONE]" not in raw


@pytest.mark.parametrize(
    ("status", "kind"), [(402, "payment_required"), (429, "rate_limit_exceeded"), (503, "provider_overloaded")]
)
async def test_openrouters_errors_have_a_number_and_a_type(simulator, status, kind):
    response, raw = await raw_of(simulator, "openrouter", asking(f"[status={status}]"))
    error = json.loads(raw)["error"]
    assert (response.status, error["code"], error["metadata"]["error_type"]) == (status, status, kind)
    assert ("x-ratelimit-remaining" in response.headers) == (status == 429)


async def test_openrouter_shows_reasoning_where_it_is_asked_for(openrouter):
    shown = await openrouter.create(**asking("hello"), extra_body={"reasoning": {"effort": "low"}})
    assert len(shown.choices[0].message.reasoning.split()) == 6
    hidden = await openrouter.create(**asking("hello"), extra_body={"reasoning": {"exclude": True}})
    assert "reasoning" not in hidden.choices[0].message.model_dump()
    assert hidden.usage.completion_tokens_details.reasoning_tokens == 6


@pytest.mark.parametrize(
    ("face", "path"),
    [("openrouter", "/messages"), ("huggingface", "/messages"), ("deepseek", "/anthropic/v1/messages")],
)
async def test_anthropics_shape_is_lent_to_others(simulator, face, path):
    response, raw = await raw_of(simulator, face, asking("hello", max_tokens=50), path)
    assert (response.status, json.loads(raw)["type"]) == (200, "message")
    assert "request-id" not in response.headers
    _, refused = await raw_of(simulator, face, asking("[status=429]", max_tokens=50), path)
    error = json.loads(refused)["error"]
    assert error["type"] == "rate_limit_error"
    assert error.get("error_type") == ("rate_limit_exceeded" if face == "openrouter" else None)
    assert {entry["face"] for entry in await simulator.log()} == {face}


@pytest.mark.parametrize("face", ["openrouter", "huggingface"])
async def test_responses_are_lent_to_others(simulator, face):
    body = {"model": "m", "input": "hello"}
    response, raw = await raw_of(simulator, face, body, "/responses")
    assert (response.status, json.loads(raw)["object"]) == (200, "response")


async def test_huggingfaces_errors_are_strings_objects_or_plain_text(simulator):
    bare, string = await raw_of(simulator, "huggingface", asking("[status=429]"))
    assert (bare.content_type, json.loads(string)) == ("application/json", {"error": "Too Many Requests"})
    _, whole = await raw_of(simulator, "huggingface", {"model": "m"})
    assert json.loads(whole)["error"]["param"] == "messages"
    plain, text = await raw_of(simulator, "huggingface", asking("[status=503]"))
    assert (plain.status, plain.content_type, text) == (503, "text/plain", b"This error was asked for: 503")


async def test_huggingface_keeps_the_suffix_that_chooses_a_provider(huggingface):
    answer = await huggingface.create(**asking("hello") | {"model": "open/model:fastest"})
    assert answer.model == "open/model:fastest"
    assert set(answer.usage.model_dump(exclude_none=True)) == {"prompt_tokens", "completion_tokens", "total_tokens"}
