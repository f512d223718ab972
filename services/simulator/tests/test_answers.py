"""What answers can be made of beyond words: several calls, several choices, JSON of a schema, other ends."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel
from tollway_simulator.domain.response_store import MAX_RESPONSES, ResponseStore, Stored
from tollway_simulator.domain.samples import sample

PARAMETERS = {"type": "object", "properties": {"q": {"type": "string"}, "n": {"type": "integer"}}}
CLAUDE_TOOLS = [{"name": name, "input_schema": PARAMETERS} for name in ("first", "second")]
GPT_TOOLS = [{"type": "function", "function": {"name": name, "parameters": PARAMETERS}} for name in ("first", "second")]
FLAT_TOOLS = [{"type": "function", "name": name, "parameters": PARAMETERS} for name in ("first", "second")]


class City(BaseModel):
    name: str
    people: int
    twin: City | None


def claude(text: str, /, **more: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 5000, "messages": [{"role": "user", "content": text}], **more}


def gpt(text: str, /, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


@pytest.mark.parametrize("streamed", [False, True])
async def test_several_tools_are_called_at_once(simulator, streamed):
    names = ["first", "second", "first"]
    if streamed:
        async with simulator.anthropic.messages.stream(**claude("[tools=3]", tools=CLAUDE_TOOLS)) as stream:
            message = await stream.get_final_message()
        async with simulator.openai.chat.completions.stream(**gpt("[tools=3]", tools=GPT_TOOLS)) as chat:
            completion = await chat.get_final_completion()
        asked = {"model": "m", "input": "[tools=3]", "tools": FLAT_TOOLS}
        async with simulator.openai.responses.stream(**asked) as responses:
            response = await responses.get_final_response()
    else:
        message = await simulator.anthropic.messages.create(**claude("[tools=3]", tools=CLAUDE_TOOLS))
        completion = await simulator.openai.chat.completions.create(**gpt("[tools=3]", tools=GPT_TOOLS))
        response = await simulator.openai.responses.create(model="m", input="[tools=3]", tools=FLAT_TOOLS)
    assert [block.name for block in message.content] == names
    assert [block.input for block in message.content] == [{"q": "sample", "n": 1}] * 3
    calls = completion.choices[0].message.tool_calls
    assert [call.function.name for call in calls] == names
    assert [json.loads(call.function.arguments) for call in calls] == [{"q": "sample", "n": 1}] * 3
    assert [item.name for item in response.output] == names
    for ids in ([block.id for block in message.content], [call.id for call in calls]):
        assert len(set(ids)) == 3


@pytest.mark.parametrize("streamed", [False, True])
async def test_several_choices_are_several_answers(simulator, streamed):
    asked = gpt("[words=3]", n=4)
    if streamed:
        stream = await simulator.openai.chat.completions.create(
            **asked, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        texts = [""] * 4
        for chunk in chunks:
            for choice in chunk.choices:
                texts[choice.index] += choice.delta.content or ""
        usage = chunks[-1].usage
    else:
        completion = await simulator.openai.chat.completions.create(**asked)
        texts = [choice.message.content for choice in completion.choices]
        usage = completion.usage
    assert texts == ["the sun was"] * 4
    assert usage.completion_tokens == 12


@pytest.mark.parametrize("streamed", [False, True])
async def test_probabilities_come_with_every_word(simulator, streamed):
    asked = gpt("[words=3]", logprobs=True, top_logprobs=2)
    if streamed:
        stream = await simulator.openai.chat.completions.create(**asked, stream=True)
        found = [
            one
            async for chunk in stream
            if chunk.choices and chunk.choices[0].logprobs
            for one in chunk.choices[0].logprobs.content
        ]
    else:
        completion = await simulator.openai.chat.completions.create(**asked)
        found = completion.choices[0].logprobs.content
    assert [one.token for one in found] == ["the", " sun", " was"]
    assert all(len(one.top_logprobs) == 2 and one.top_logprobs[0].token == one.token for one in found)
    assert bytes(found[1].bytes) == b" sun"


async def test_text_is_json_of_the_schema_that_is_asked_for(simulator):
    schema = City.model_json_schema()
    message = await simulator.anthropic.messages.create(
        **claude("a city", output_config={"format": {"type": "json_schema", "schema": schema}})
    )
    parsed = await simulator.anthropic.messages.parse(**claude("a city"), output_format=City)
    completion = await simulator.openai.chat.completions.parse(**gpt("a city"), response_format=City)
    assert City.model_validate_json(message.content[0].text) == parsed.parsed_output
    assert (parsed.parsed_output.name, completion.choices[0].message.parsed.people) == ("sample", 1)
    loose = await simulator.openai.chat.completions.create(**gpt("as JSON", response_format={"type": "json_object"}))
    assert isinstance(json.loads(loose.choices[0].message.content), dict)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_stop_sequence_ends_the_text_and_is_named(simulator, streamed):
    asked = claude("hi", stop_sequences=["nowhere", "low"])
    if streamed:
        async with simulator.anthropic.messages.stream(**asked) as stream:
            message = await stream.get_final_message()
    else:
        message = await simulator.anthropic.messages.create(**asked)
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "low")
    assert message.content[0].text == "the sun was"
    for stop in ("low", ["low"]):
        completion = await simulator.openai.chat.completions.create(**gpt("hi", stop=stop))
        assert (completion.choices[0].message.content, completion.choices[0].finish_reason) == ("the sun was", "stop")


@pytest.mark.parametrize(
    ("stop", "theirs", "ours"),
    [
        ("refusal", "refusal", "stop"),
        ("content_filter", "refusal", "content_filter"),
        ("pause_turn", "pause_turn", "stop"),
        ("model_context_window_exceeded", "model_context_window_exceeded", "length"),
    ],
)
async def test_an_answer_can_stop_for_other_reasons(simulator, stop, theirs, ours):
    message = await simulator.anthropic.messages.create(**claude(f"[stop={stop}]"))
    async with simulator.anthropic.messages.stream(**claude(f"[stop={stop}]")) as stream:
        streamed = await stream.get_final_message()
    completion = await simulator.openai.chat.completions.create(**gpt(f"[stop={stop}]"))
    assert message.stop_reason == streamed.stop_reason == theirs
    assert completion.choices[0].finish_reason == ours
    if theirs == "refusal":
        assert message.stop_details.category == streamed.stop_details.category == "general_harms"


async def test_a_refusal_has_its_own_place_with_openai(simulator):
    completion = await simulator.openai.chat.completions.create(**gpt("[stop=refusal]"))
    assert (completion.choices[0].message.content, bool(completion.choices[0].message.refusal)) == (None, True)
    chunks = await simulator.openai.chat.completions.create(**gpt("[stop=refusal]"), stream=True)
    refusal = "".join([chunk.choices[0].delta.refusal or "" async for chunk in chunks])
    assert refusal == completion.choices[0].message.refusal
    asked = {"model": "m", "input": "[stop=refusal]"}
    async with simulator.openai.responses.stream(**asked) as stream:
        response = await stream.get_final_response()
    assert response.output[0].content[0].refusal == refusal
    filtered = await simulator.openai.responses.create(model="m", input="[stop=content_filter]")
    assert (filtered.status, filtered.incomplete_details.reason) == ("incomplete", "content_filter")


async def test_chunks_are_padded_where_that_is_asked_for(simulator):
    path = "/v1/chat/completions"
    for fields, padded in (
        ({}, False),
        ({"stream_options": {"include_obfuscation": True}}, True),
        ({"messages": [{"role": "user", "content": "[obfuscation]"}]}, True),
        (
            {
                "messages": [{"role": "user", "content": "[obfuscation]"}],
                "stream_options": {"include_obfuscation": False},
            },
            False,
        ),
    ):
        body = simulator.body_for(path, "hi", stream=True) | fields
        async with simulator.http.post(simulator.url + path, json=body, headers=simulator.headers) as response:
            assert ("obfuscation" in await response.text()) == padded


async def test_the_beta_namespace_is_served_alike(simulator):
    beta = simulator.anthropic.beta.messages
    message = await beta.create(**claude("[words=3]"), betas=["context-1m-2025-08-07"])
    async with beta.stream(**claude("[words=3]")) as stream:
        streamed = await stream.get_final_message()
    assert message.content[0].text == streamed.content[0].text == "the sun was"
    [entry, _] = await simulator.log()
    assert entry["headers"]["anthropic-beta"] == "context-1m-2025-08-07"


SCHEMAS: list[dict[str, Any]] = [
    {"type": "array", "items": {"type": "number", "exclusiveMinimum": 3, "multipleOf": 2.5}, "minItems": 2},
    {"type": "object", "properties": {"a": {"type": "integer", "maximum": -4}}, "required": ["a", "b"]},
    {"type": "string", "format": "ipv4"},
    {"type": "string", "minLength": 9, "maxLength": 9},
    {"anyOf": [{"type": "null"}, {"type": "string"}]},
    {"allOf": [{"$ref": "#/$defs/A"}, {"required": ["y"]}], "$defs": {"A": {"type": "object", "required": ["x"]}}},
    {"type": "array", "items": {"type": "string"}, "maxItems": 0},
    {
        "$ref": "#/$defs/Tree",
        "$defs": {
            "Tree": {
                "type": "object",
                "properties": {
                    "left": {"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]},
                    "all": {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
                },
                "required": ["left", "all"],
                "additionalProperties": False,
            }
        },
    },
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_sample_is_valid(schema):
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(sample(schema))


def test_a_wide_recursive_schema_stays_small():
    properties = {f"p{index}": {"$ref": "#"} for index in range(12)}
    assert len(json.dumps(sample({"type": "object", "properties": properties}))) < 1_000_000


def test_the_oldest_response_makes_room():
    store = ResponseStore()
    for index in range(MAX_RESPONSES + 1):
        store.put(f"resp_{index}", Stored(b"{}", [], 0, ()))
    assert store.get("resp_0") is None
    assert store.get("resp_1") is not None
    store.put("huge", Stored(b"x" * (70 * 1024 * 1024), [], 0, ()))
    assert store.get("resp_1") is None
    assert store.get("huge") is not None
