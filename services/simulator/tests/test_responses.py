"""OpenAI's responses, as OpenAI's own SDK sees them."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel

TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "Weather of a place",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}


def asking(text: str, /, **more: Any) -> dict[str, Any]:
    return {"model": "any-model", "input": text, **more}


async def test_a_response_has_text_usage_and_a_request_id(simulator):
    response = await simulator.openai.responses.create(**asking("hello there", instructions="be brief"))
    assert len(response.output_text.split(" ")) == 12
    assert (response.status, response.model, response.instructions) == ("completed", "any-model", "be brief")
    usage = response.usage
    assert (usage.input_tokens, usage.output_tokens) == ((len("hello there") + len("be brief")) // 4, 12)
    assert usage.total_tokens == usage.input_tokens + 12
    assert response._request_id.startswith("req_")
    assert response.output[0].phase == "final_answer"


async def test_a_list_of_items_is_input_too(simulator):
    items = [
        {"role": "developer", "content": "be brief"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "[echo] one two"}]},
    ]
    response = await simulator.openai.responses.create(model="m", input=items)
    assert response.output_text == "one two"


async def test_the_events_of_a_stream_are_numbered_and_in_order(simulator):
    stream = await simulator.openai.responses.create(**asking("[words=2] hello"), stream=True)
    events = [event async for event in stream]
    assert [event.type.removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event.sequence_number for event in events] == list(range(10))
    assert events[-1].response.usage.output_tokens == 2


async def test_a_stream_adds_up_to_the_same_response(simulator):
    whole = await simulator.openai.responses.create(**asking("[words=50] hello"))
    async with simulator.openai.responses.stream(**asking("[words=50] hello")) as stream:
        deltas = [event.delta async for event in stream if event.type == "response.output_text.delta"]
        streamed = await stream.get_final_response()
    assert len(deltas) == 50
    assert streamed.output_text == whole.output_text == "".join(deltas)
    assert streamed.usage == whole.usage


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_call_makes_a_round_trip(simulator, streamed):
    asked = asking("[tool] weather, please", tools=[TOOL])
    if streamed:
        async with simulator.openai.responses.stream(**asked) as stream:
            called = await stream.get_final_response()
    else:
        called = await simulator.openai.responses.create(**asked)
    [call] = called.output
    assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "get_weather", {"city": "sample"})
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "rain all day"}
    by_id = await simulator.openai.responses.create(model="m", previous_response_id=called.id, input=[output])
    assert "rain all day" in by_id.output_text
    history = [{"role": "user", "content": "weather?"}, call.model_dump(exclude_none=True), output]
    by_items = await simulator.openai.responses.create(model="m", input=history)
    assert by_items.output_text == by_id.output_text


async def test_tools_are_forced_and_forbidden(simulator):
    create = simulator.openai.responses.create
    forced = await create(**asking("hi", tools=[TOOL], tool_choice={"type": "function", "name": "get_weather"}))
    required = await create(**asking("hi", tools=[TOOL], tool_choice="required"))
    none = await create(**asking("[tool] hi", tools=[TOOL], tool_choice="none"))
    assert [answer.output[0].type for answer in (forced, required, none)] == [
        "function_call",
        "function_call",
        "message",
    ]


@pytest.mark.parametrize("streamed", [False, True])
async def test_reasoning_is_an_item_of_its_own(simulator, streamed):
    asked = asking(
        "[think=4] hello",
        reasoning={"effort": "high", "summary": "auto"},
        include=["reasoning.encrypted_content"],
        store=False,
    )
    if streamed:
        async with simulator.openai.responses.stream(**asked) as stream:
            kinds = {event.type async for event in stream}
            response = await stream.get_final_response()
        assert {"response.reasoning_summary_part.added", "response.reasoning_summary_text.delta"} <= kinds
    else:
        response = await simulator.openai.responses.create(**asked)
    reasoning, message = response.output
    assert (reasoning.type, len(reasoning.summary[0].text.split())) == ("reasoning", 4)
    assert reasoning.encrypted_content
    assert message.type == "message"
    assert response.usage.output_tokens_details.reasoning_tokens == 4
    assert response.usage.output_tokens == 4 + 12


async def test_reasoning_is_counted_where_no_summary_is_wanted(simulator):
    response = await simulator.openai.responses.create(**asking("hello", reasoning={"effort": "low"}))
    assert response.output[0].summary == []
    assert response.usage.output_tokens_details.reasoning_tokens == 6
    none = await simulator.openai.responses.create(**asking("hello", reasoning={"effort": "none"}))
    assert none.usage.output_tokens_details.reasoning_tokens == 0


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_limit_makes_it_incomplete(simulator, streamed):
    asked = asking("[words=30] hello", max_output_tokens=16)
    if streamed:
        stream = await simulator.openai.responses.create(**asked, stream=True)
        last = [event async for event in stream][-1]
        assert last.type == "response.incomplete"
        response = last.response
    else:
        response = await simulator.openai.responses.create(**asked)
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert response.usage.output_tokens == 16


class Weather(BaseModel):
    city: str
    degrees: int
    tags: list[str]


async def test_text_is_json_of_the_schema_that_is_asked_for(simulator):
    parsed = await simulator.openai.responses.parse(**asking("weather?"), text_format=Weather)
    assert parsed.output_parsed == Weather(city="sample", degrees=1, tags=["sample"])
    loose = await simulator.openai.responses.create(**asking("json", text={"format": {"type": "json_object"}}))
    assert isinstance(json.loads(loose.output_text), dict)


async def test_responses_are_kept_until_deleted_unless_forbidden(simulator):
    responses = simulator.openai.responses
    kept = await responses.create(**asking("hello"))
    dropped = await responses.create(**asking("hello"), store=False)
    assert (await responses.retrieve(kept.id)).output_text == kept.output_text
    items = await responses.input_items.list(kept.id)
    assert items.data[0].content[0].text == "hello"
    with pytest.raises(openai.NotFoundError):
        await responses.retrieve(dropped.id)
    await responses.delete(kept.id)
    with pytest.raises(openai.NotFoundError) as raised:
        await responses.retrieve(kept.id)
    assert (raised.value.type, raised.value.code) == ("invalid_request_error", None)


async def test_a_streamed_response_is_kept_as_well(simulator):
    async with simulator.openai.responses.stream(**asking("hello")) as stream:
        streamed = await stream.get_final_response()
    assert (await simulator.openai.responses.retrieve(streamed.id)).output_text == streamed.output_text


async def test_going_on_from_a_response_counts_its_words(simulator):
    responses = simulator.openai.responses
    first = await responses.create(**asking("x" * 400))
    second = await responses.create(**asking("y" * 40), previous_response_id=first.id)
    assert second.usage.input_tokens == (400 + 40 + len(first.output_text)) // 4
    counted = await responses.input_tokens.count(model="m", input="y" * 40, previous_response_id=first.id)
    assert counted.input_tokens == second.usage.input_tokens
    with pytest.raises(openai.BadRequestError, match="not found") as raised:
        await responses.create(**asking("hi"), previous_response_id="resp_nothing")
    assert raised.value.code == "previous_response_not_found"


async def test_usage_can_be_dictated(simulator):
    response = await simulator.openai.responses.create(**asking("[usage=in:100,out:50,read:20,write:5]"))
    assert (response.usage.input_tokens, response.usage.output_tokens) == (125, 50)
    assert response.usage.input_tokens_details.cached_tokens == 20


@pytest.mark.parametrize(
    ("text", "code"), [("[status=429]", "rate_limit_exceeded"), ("[error=insufficient_quota]", "insufficient_quota")]
)
async def test_errors_are_typed(simulator, text, code):
    with pytest.raises(openai.RateLimitError) as raised:
        await simulator.openai.responses.create(**asking(text))
    assert raised.value.code == code
