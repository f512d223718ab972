"""Unmodified clients of both vendors get through every topology what they would get from the provider."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import anthropic
import openai
import pytest

if TYPE_CHECKING:
    from gateway import Gateway

TOOL = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def unique(text: str) -> str:
    """Make a prompt that no cache has seen."""
    return f"{text} {uuid.uuid4()}"


def test_an_anthropic_client_creates_a_message(claude: anthropic.Anthropic, gateway: Gateway) -> None:
    raw = claude.messages.with_raw_response.create(
        model="claude-haiku-5-5", max_tokens=64, messages=[{"role": "user", "content": unique("hello [words=7]")}]
    )
    message = raw.parse()
    assert len(message.content[0].text.split()) == 7
    assert message.stop_reason == "end_turn"
    assert raw.headers["request-id"]
    row = gateway.call(raw.headers["x-gateway-query-id"])
    assert row["usage"]["output_tokens"] == message.usage.output_tokens == 7
    assert row["usage"]["uncached_input_tokens"] == message.usage.input_tokens
    assert [attempt["outcome"] for attempt in row["attempts"]] == ["succeeded"]


def test_an_anthropic_client_streams(claude: anthropic.Anthropic) -> None:
    prompt = unique("hello [words=30]")
    with claude.messages.stream(
        model="claude-haiku-5-5", max_tokens=64, messages=[{"role": "user", "content": prompt}]
    ) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()
    assert len(pieces) == 30
    assert "".join(pieces) == message.content[0].text
    assert message.usage.output_tokens == 30


def test_an_anthropic_client_makes_a_tool_round_trip(claude: anthropic.Anthropic) -> None:
    tools = [{"name": "weather", "description": "weather of a city", "input_schema": TOOL}]
    asked = [{"role": "user", "content": unique("weather? [tool]")}]
    first = claude.messages.create(model="claude-haiku-5-5", max_tokens=64, tools=tools, messages=asked)
    assert first.stop_reason == "tool_use"
    call = next(block for block in first.content if block.type == "tool_use")
    assert call.input["city"]
    answered = [
        *asked,
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny, 21 degrees"}]},
    ]
    second = claude.messages.create(model="claude-haiku-5-5", max_tokens=64, tools=tools, messages=answered)
    assert "sunny, 21 degrees" in second.content[0].text


def test_an_anthropic_client_streams_a_tool_call(claude: anthropic.Anthropic) -> None:
    tools = [{"name": "weather", "description": "weather of a city", "input_schema": TOOL}]
    with claude.messages.stream(
        model="claude-haiku-5-5",
        max_tokens=64,
        tools=tools,
        messages=[{"role": "user", "content": unique("weather? [tool]")}],
    ) as stream:
        message = stream.get_final_message()
    assert message.stop_reason == "tool_use"
    assert message.content[-1].input["city"]


def test_an_anthropic_client_gets_typed_errors(gateway: Gateway) -> None:
    messages = [{"role": "user", "content": unique("hello [status=529]")}]
    with anthropic.Anthropic(base_url=gateway.url, api_key="tw_nobody", max_retries=0) as stranger:
        with pytest.raises(anthropic.AuthenticationError) as refused:
            stranger.messages.create(model="claude-haiku-5-5", max_tokens=64, messages=messages)
    assert refused.value.response.headers["x-should-retry"] == "false"
    with anthropic.Anthropic(base_url=gateway.url, api_key=gateway.key, max_retries=0) as client:
        with pytest.raises(anthropic.OverloadedError) as overloaded:
            client.messages.create(model="claude-haiku-5-5", max_tokens=64, messages=messages)
    assert overloaded.value.response.headers["x-gateway-provider"] == "simulator"
    assert gateway.call(overloaded.value.response.headers["x-gateway-query-id"])["status"] == "failed"


def test_an_openai_client_creates_a_completion(gpt: openai.OpenAI, gateway: Gateway) -> None:
    raw = gpt.chat.completions.with_raw_response.create(
        model="gpt-6-luna", messages=[{"role": "user", "content": unique("hello [words=7]")}]
    )
    completion = raw.parse()
    assert len(completion.choices[0].message.content.split()) == 7
    assert completion.choices[0].finish_reason == "stop"
    assert raw.headers["x-request-id"]
    row = gateway.call(raw.headers["x-gateway-query-id"])
    assert row["usage"]["output_tokens"] == completion.usage.completion_tokens == 7


@pytest.mark.parametrize("wants_usage", [True, False])
def test_an_openai_client_streams(gpt: openai.OpenAI, gateway: Gateway, wants_usage: bool) -> None:
    options = {"stream_options": {"include_usage": True}} if wants_usage else {}
    prompt = unique("hello [words=30]")
    raw = gpt.chat.completions.with_raw_response.create(
        model="gpt-6-luna", messages=[{"role": "user", "content": prompt}], stream=True, **options
    )
    chunks = list(raw.parse())
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert len(pieces) == 30
    usage = [chunk.usage for chunk in chunks if chunk.usage]
    assert [one.completion_tokens for one in usage] == ([30] if wants_usage else [])
    # usage is booked whether the client asked for it or not
    row = gateway.call(raw.headers["x-gateway-query-id"])
    assert (row["usage"]["output_tokens"], row["usage"]["estimated"]) == (30, False)


def test_an_openai_client_makes_a_tool_round_trip(gpt: openai.OpenAI) -> None:
    tools = [{"type": "function", "function": {"name": "weather", "parameters": TOOL}}]
    asked = [{"role": "user", "content": unique("weather? [tool]")}]
    first = gpt.chat.completions.create(model="gpt-6-luna", tools=tools, messages=asked).choices[0]
    assert first.finish_reason == "tool_calls"
    call = first.message.tool_calls[0]
    answered = [
        *asked,
        first.message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "sunny, 21 degrees"},
    ]
    second = gpt.chat.completions.create(model="gpt-6-luna", tools=tools, messages=answered)
    assert "sunny, 21 degrees" in second.choices[0].message.content


def test_an_openai_client_gets_typed_errors(gateway: Gateway) -> None:
    messages = [{"role": "user", "content": unique("hello [status=529]")}]
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="tw_nobody", max_retries=0) as stranger:
        with pytest.raises(openai.AuthenticationError) as refused:
            stranger.chat.completions.create(model="gpt-6-luna", messages=messages)
    assert refused.value.code == "invalid_api_key"
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0) as client:
        with pytest.raises(openai.InternalServerError) as overloaded:
            client.chat.completions.create(model="gpt-6-luna", messages=messages)
    assert overloaded.value.status_code == 529


@pytest.mark.parametrize("name", ["auto", "fast", "standard", "premium", "critical"])
def test_auto_and_tier_names_choose_the_same_model_for_clients_of_either_dialect(
    claude: anthropic.Anthropic, gpt: openai.OpenAI, name: str
) -> None:
    ask = [{"role": "user", "content": unique("What is the capital of France?")}]
    anthropics = claude.messages.with_raw_response.create(model=name, max_tokens=16, messages=ask)
    openais = gpt.chat.completions.with_raw_response.create(model=name, messages=ask)
    assert anthropics.headers["x-gateway-model"] == openais.headers["x-gateway-model"] != name
    expected = "heuristic" if name == "auto" else "n/a"
    assert {raw.headers["x-gateway-classifier"] for raw in (anthropics, openais)} == {expected}
    assert anthropics.headers["x-gateway-tier"] == openais.headers["x-gateway-tier"] != "n/a"


def test_models_are_listed_in_the_shape_of_the_client(claude: anthropic.Anthropic, gpt: openai.OpenAI) -> None:
    assert {"claude-haiku-5-5", "auto", "simple", "fast"} <= {model.id for model in claude.models.list()}
    assert {"gpt-6-luna", "auto", "simple", "fast"} <= {model.id for model in gpt.models.list()}


def test_a_stored_response_is_read_gone_on_from_and_deleted(gpt: openai.OpenAI) -> None:
    made = gpt.responses.create(model="gpt-6-luna", input="hello there")
    assert gpt.responses.retrieve(made.id).output_text == made.output_text
    assert len(list(gpt.responses.input_items.list(made.id))) == 1
    assert gpt.responses.input_tokens.count(model="gpt-6-luna", input="hello there").input_tokens > 0
    following = gpt.responses.create(model="gpt-6-luna", input="go on", previous_response_id=made.id)
    assert following.previous_response_id == made.id
    gpt.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError, match=made.id):
        gpt.responses.retrieve(made.id)
    with pytest.raises(openai.BadRequestError) as unknown:
        gpt.responses.create(model="gpt-6-luna", input="go on", previous_response_id="resp_nobody")
    assert (unknown.value.code, unknown.value.param) == ("previous_response_not_found", "previous_response_id")
