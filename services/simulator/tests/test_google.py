"""Gemini's own API, as Google's own SDK and plain HTTP see it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

# Google's SDK derives from aiohttp's session, which aiohttp does not like
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")

DECLARED = {
    "name": "get_weather",
    "parametersJsonSchema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TOOLS = [types.Tool.model_validate({"function_declarations": [DECLARED]})]
MODEL = "gemini-3.5-flash"
BASE = "/google/v1beta/models"


@pytest.fixture
async def gemini(simulator) -> AsyncIterator[Any]:
    client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=f"{simulator.url}/google")).aio
    async with aclosing(client):
        yield client.models


def turns(*texts: str) -> list[dict[str, Any]]:
    return [{"role": ("user", "model")[i % 2], "parts": [{"text": text}]} for i, text in enumerate(texts)]


async def ask(simulator, fields: dict[str, Any], method: str = "generateContent", *, model: str = "m"):
    url = f"{simulator.url}{BASE}/{model}:{method}"
    body = {"contents": turns("hello")} | fields
    async with simulator.http.post(url, json=body, headers={"x-goog-api-key": "k"}) as response:
        return response, await response.read()


async def test_an_answer_has_text_a_finish_reason_and_thoughts_counted_apart(gemini):
    answer = await gemini.generate_content(model=MODEL, contents="hello there")
    assert len(answer.text.split(" ")) == 12
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    usage = answer.usage_metadata
    assert (usage.prompt_token_count, usage.candidates_token_count, usage.thoughts_token_count) == (2, 12, 6)
    assert usage.total_token_count == 20
    assert (answer.model_version, len(answer.response_id)) == (MODEL, 24)


async def test_a_stream_says_more_with_every_chunk_and_how_it_ends_in_the_last(gemini):
    stream = await gemini.generate_content_stream(model=MODEL, contents="[words=5] hello")
    chunks = [chunk async for chunk in stream]
    assert [chunk.text for chunk in chunks] == ["the", " sun", " was", " low", " and", ""]
    counts = [chunk.usage_metadata.candidates_token_count for chunk in chunks]
    assert counts == [1, 2, 3, 4, 5, 5]
    assert [chunk.candidates[0].finish_reason for chunk in chunks] == [None] * 5 + [types.FinishReason.STOP]
    assert chunks[-1].usage_metadata.thoughts_token_count == 6


async def test_events_end_in_crlf_and_no_marker(simulator):
    response, raw = await ask(simulator, {}, "streamGenerateContent?alt=sse")
    assert response.content_type == "text/event-stream"
    assert raw.count(b"\r\n\r\n") == raw.count(b"data: ") == 13
    assert b"[DONE]" not in raw


async def test_without_events_the_stream_is_one_json_array(simulator):
    response, raw = await ask(simulator, {"contents": turns("[words=3]")}, "streamGenerateContent")
    assert response.content_type == "application/json"
    parts = [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in json.loads(raw)]
    assert parts == ["the", " sun", " was", ""]
    _, failed = await ask(simulator, {"contents": turns("[fail=2]")}, "streamGenerateContent")
    assert [next(iter(chunk)) for chunk in json.loads(failed)] == ["candidates", "candidates", "error"]
    _, refused = await ask(simulator, {"contents": []}, "streamGenerateContent")
    assert json.loads(refused)[0]["error"]["status"] == "INVALID_ARGUMENT"


async def test_thoughts_are_shown_where_they_are_asked_for(gemini):
    config = types.GenerateContentConfig(thinking_config=types.ThinkingConfig(include_thoughts=True))
    whole = await gemini.generate_content(model="m", contents="hello", config=config)
    thought, text = whole.candidates[0].content.parts
    assert (thought.thought, len(thought.text.split())) == (True, 6)
    assert (text.thought, bool(text.thought_signature)) == (None, True)
    stream = await gemini.generate_content_stream(model="m", contents="hello", config=config)
    parts = [chunk.candidates[0].content.parts[0] async for chunk in stream]
    assert [bool(part.thought) for part in parts] == [True] * 6 + [False] * 13
    assert parts[-1].thought_signature


async def test_parallel_calls_make_a_round_trip_and_only_the_first_is_signed(gemini):
    config = types.GenerateContentConfig(
        tools=TOOLS, automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True)
    )
    asked: list[Any] = [types.UserContent(parts=[types.Part(text="[tools=2] weather?")])]
    called = await gemini.generate_content(model=MODEL, contents=asked, config=config)
    first, second = called.candidates[0].content.parts
    assert (first.function_call.name, first.function_call.args) == ("get_weather", {"city": "sample"})
    assert first.thought_signature
    assert second.thought_signature is None
    assert called.candidates[0].finish_reason == types.FinishReason.STOP
    results = [types.Part.from_function_response(name="get_weather", response={"output": f"rain {i}"}) for i in (1, 2)]
    asked += [called.candidates[0].content, types.UserContent(parts=results)]
    answer = await gemini.generate_content(model=MODEL, contents=asked, config=config)
    assert answer.text == "the tool says: rain 1 rain 2"
    first.thought_signature = None
    with pytest.raises(errors.ClientError, match="missing a thought_signature"):
        await gemini.generate_content(model=MODEL, contents=asked, config=config)
    first.thought_signature = b"skip_thought_signature_validator"
    assert (await gemini.generate_content(model=MODEL, contents=asked, config=config)).text
    first.thought_signature = b"made by another"
    with pytest.raises(errors.ClientError, match="Corrupted thought signature"):
        await gemini.generate_content(model=MODEL, contents=asked, config=config)


async def test_a_streamed_call_comes_whole(simulator):
    fields = {"contents": turns("[tool]"), "tools": [{"functionDeclarations": [DECLARED]}]}
    _, raw = await ask(simulator, fields, "streamGenerateContent?alt=sse")
    call, last = [json.loads(line[6:])["candidates"][0] for line in raw.split(b"\r\n\r\n") if line]
    assert call["content"]["parts"][0]["functionCall"] == {"name": "get_weather", "args": {"city": "sample"}}
    assert last["finishReason"] == "STOP"


async def test_a_schema_is_answered_with_json_that_fits(gemini):
    schema = types.Schema(type="OBJECT", properties={"ok": types.Schema(type="BOOLEAN")}, required=["ok"])
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=schema)
    answer = await gemini.generate_content(model="m", contents="hello", config=config)
    assert json.loads(answer.text) == {"ok": True}


@pytest.mark.parametrize(
    ("directive", "reason"), [("content_filter", "SAFETY"), ("model_context_window_exceeded", "MAX_TOKENS")]
)
async def test_an_answer_says_why_it_stops(gemini, directive, reason):
    answer = await gemini.generate_content(model="m", contents=f"[stop={directive}]")
    assert answer.candidates[0].finish_reason == reason


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent?alt=sse"])
async def test_a_blocked_prompt_has_feedback_and_no_candidates(simulator, method):
    _, raw = await ask(simulator, {"contents": turns("[stop=refusal]")}, method)
    answer = json.loads(raw.removeprefix(b"data: "))
    assert answer["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}
    assert "candidates" not in answer


async def test_limits_and_stop_sequences_end_the_text(gemini):
    config = types.GenerateContentConfig(max_output_tokens=5, candidate_count=2)
    answer = await gemini.generate_content(model="m", contents="hello", config=config)
    assert [one.finish_reason for one in answer.candidates] == ["MAX_TOKENS"] * 2
    assert answer.text == "the sun was low and"
    config = types.GenerateContentConfig(stop_sequences=[" low"])
    assert (await gemini.generate_content(model="m", contents="hello", config=config)).text == "the sun was"


async def test_what_was_sent_before_is_read_from_the_cache(gemini):
    long = "word " * 2000
    first, second = [await gemini.generate_content(model="m", contents=long) for _ in range(2)]
    assert first.usage_metadata.cached_content_token_count is None
    assert second.usage_metadata.cached_content_token_count == second.usage_metadata.prompt_token_count == 2500


async def test_tokens_are_counted_as_they_are_answered_for(gemini):
    assert (await gemini.count_tokens(model="m", contents="hello there you")).total_tokens == 3


async def test_models_are_listed_and_shown(gemini):
    assert [model.name async for model in await gemini.list()] == ["models/simulator"]
    assert (await gemini.get(model="simulator")).output_token_limit == 65_536
    with pytest.raises(errors.ClientError, match="NOT_FOUND"):
        await gemini.get(model="nothing")


async def test_the_key_may_stand_in_the_query(simulator):
    url = f"{simulator.url}{BASE}/m:generateContent?key=secret"
    async with simulator.http.post(url, json={"contents": turns("hi")}) as response:
        assert response.status == 200
    [entry] = await simulator.log()
    assert len(entry["key_fingerprint"]) == 8
    assert "secret" not in json.dumps(entry)


async def test_a_bad_key_is_400_and_says_which_reason(gemini):
    with pytest.raises(errors.ClientError) as raised:
        await gemini.generate_content(model="m", contents="[error=invalid_api_key]")
    assert (raised.value.code, raised.value.status) == (400, "INVALID_ARGUMENT")
    assert raised.value.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"


@pytest.mark.parametrize(
    ("status", "name"),
    [(403, "PERMISSION_DENIED"), (429, "RESOURCE_EXHAUSTED"), (500, "INTERNAL"), (503, "UNAVAILABLE")],
)
async def test_errors_have_googles_names(gemini, status, name):
    with pytest.raises(errors.APIError) as raised:
        await gemini.generate_content(model="m", contents=f"[status={status}]")
    assert (raised.value.code, raised.value.status) == (status, name)


@pytest.mark.parametrize("prefix", ["", "/google"])
@pytest.mark.parametrize("version", ["v1", "v1beta"])
async def test_both_versions_are_served_with_and_without_the_prefix(simulator, prefix, version):
    url = f"{simulator.url}{prefix}/{version}/models/m:generateContent"
    async with simulator.http.post(url, json={"contents": turns("hi")}, headers={"x-goog-api-key": "k"}) as response:
        assert response.status == 200
