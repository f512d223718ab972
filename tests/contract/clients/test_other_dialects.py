"""The same conversation on models of other vendors: tools, streams and errors in the client's own dialect."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest

if TYPE_CHECKING:
    from gateway import Gateway

FOR_ANTHROPIC = ("gpt-6-luna", "gemini-3.5-flash")
FOR_OPENAI = ("claude-haiku-5-5", "gemini-3.5-flash")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
MESSAGES_TOOL: Any = {"name": "weather", "description": "of a city", "input_schema": SCHEMA}
CHAT_TOOL: Any = {"type": "function", "function": {"name": "weather", "description": "of a city", "parameters": SCHEMA}}
RESPONSES_TOOL: Any = {"type": "function", "name": "weather", "description": "of a city", "parameters": SCHEMA}


def unique(text: str) -> str:
    return f"{text} {uuid.uuid4()}"


def words(message: anthropic.types.Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


@pytest.mark.parametrize("model", FOR_ANTHROPIC)
def test_anthropics_client_holds_a_conversation_with_tools(
    claude: anthropic.Anthropic, gateway: Gateway, model: str
) -> None:
    asked: list[Any] = [{"role": "user", "content": unique("weather? [tool]")}]
    raw = claude.messages.with_raw_response.create(model=model, max_tokens=900, tools=[MESSAGES_TOOL], messages=asked)
    first = raw.parse()
    assert (raw.headers["x-gateway-model"], first.stop_reason) == (model, "tool_use")
    assert "translated" in raw.headers["x-gateway-body-changes"]
    call = next(block for block in first.content if block.type == "tool_use")
    assert call.input.keys() == {"city"}
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny, 21 degrees"}
    asked += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    second = claude.messages.create(model=model, max_tokens=900, tools=[MESSAGES_TOOL], messages=asked)
    assert "sunny" in words(second)
    row = gateway.call(raw.headers["x-gateway-query-id"])
    assert (row["model"], row["usage"]["estimated"]) == (model, False)
    assert row["usage"]["output_tokens"] == first.usage.output_tokens > 0


@pytest.mark.parametrize("model", FOR_ANTHROPIC)
def test_anthropics_client_streams(claude: anthropic.Anthropic, gateway: Gateway, model: str) -> None:
    asked: list[Any] = [{"role": "user", "content": unique("hello [words=30]")}]
    with claude.messages.stream(model=model, max_tokens=900, messages=asked) as stream:
        events = list(stream)
        query_id = stream.response.headers["x-gateway-query-id"]
    starts = [event for event in events if event.type == "message_start"]
    assert len(starts) == 1
    assert starts[0].message.usage.input_tokens > 0
    indexes = [event.index for event in events if event.type == "content_block_start"]
    assert indexes == list(range(len(indexes)))
    final = stream.get_final_message()
    assert (len(words(final).split()), final.stop_reason) == (30, "end_turn")
    usage = gateway.call(query_id)["usage"]
    assert (usage["output_tokens"], usage["estimated"]) == (final.usage.output_tokens, False)


@pytest.mark.parametrize("model", FOR_ANTHROPIC)
def test_anthropics_client_streams_a_tool_call(claude: anthropic.Anthropic, model: str) -> None:
    asked: list[Any] = [{"role": "user", "content": unique("weather? [tool]")}]
    with claude.messages.stream(model=model, max_tokens=900, tools=[MESSAGES_TOOL], messages=asked) as stream:
        final = stream.get_final_message()
    assert final.stop_reason == "tool_use"
    assert next(block for block in final.content if block.type == "tool_use").input.keys() == {"city"}


@pytest.mark.parametrize("model", FOR_OPENAI)
def test_openais_client_holds_a_conversation_with_tools(gpt: openai.OpenAI, gateway: Gateway, model: str) -> None:
    asked: list[Any] = [{"role": "user", "content": unique("weather? [tool]")}]
    raw = gpt.chat.completions.with_raw_response.create(model=model, tools=[CHAT_TOOL], messages=asked)
    first = raw.parse()
    assert (raw.headers["x-gateway-model"], first.choices[0].finish_reason) == (model, "tool_calls")
    (call,) = first.choices[0].message.tool_calls
    assert json.loads(call.function.arguments).keys() == {"city"}
    asked += [first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "sunny, 21 degrees"}]
    second = gpt.chat.completions.create(model=model, tools=[CHAT_TOOL], messages=asked)
    assert "sunny" in second.choices[0].message.content
    usage = gateway.call(raw.headers["x-gateway-query-id"])["usage"]
    assert (usage["output_tokens"], usage["estimated"]) == (first.usage.completion_tokens, False)


@pytest.mark.parametrize("model", FOR_OPENAI)
@pytest.mark.parametrize("tells_usage", [True, False])
def test_openais_client_streams(gpt: openai.OpenAI, model: str, tells_usage: bool) -> None:
    options: Any = {"stream_options": {"include_usage": True}} if tells_usage else {}
    asked: list[Any] = [{"role": "user", "content": unique("hello [words=30]")}]
    chunks = list(gpt.chat.completions.create(model=model, messages=asked, stream=True, **options))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert len(text.split()) == 30
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert bool(chunks[-1].usage and chunks[-1].usage.prompt_tokens) == tells_usage


@pytest.mark.parametrize("model", FOR_OPENAI)
def test_openais_responses_on_other_models(gpt: openai.OpenAI, model: str) -> None:
    asked: list[Any] = [{"role": "user", "content": unique("weather? [tool]")}]
    first = gpt.responses.create(model=model, input=asked, tools=[RESPONSES_TOOL], store=False)
    call = next(item for item in first.output if item.type == "function_call")
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny, 21 degrees"}
    again = [*asked, *first.output, result]
    second = gpt.responses.create(model=model, input=again, tools=[RESPONSES_TOOL], store=False)
    assert "sunny" in second.output_text
    with gpt.responses.stream(model=model, input=unique("hello [words=30]"), store=False) as stream:
        list(stream)
        assert len(stream.get_final_response().output_text.split()) == 30


def test_what_another_vendor_cannot_say_is_listed_or_refused(claude: anthropic.Anthropic, gpt: openai.OpenAI) -> None:
    raw = claude.messages.with_raw_response.create(
        model="gpt-6-luna",
        max_tokens=64,
        messages=[{"role": "user", "content": unique("hello")}],
        extra_body={"top_k": 3},
    )
    assert raw.headers["x-gateway-dropped"] == "top_k"
    with pytest.raises(openai.BadRequestError, match="n: ") as refused:
        gpt.chat.completions.create(
            model="claude-haiku-5-5", messages=[{"role": "user", "content": unique("hello")}], n=2
        )
    assert refused.value.param == "n"


@pytest.mark.parametrize("model", FOR_ANTHROPIC)
def test_an_error_of_another_vendor_is_one_of_the_clients_dialect(claude: anthropic.Anthropic, model: str) -> None:
    with pytest.raises(anthropic.BadRequestError) as refused:
        claude.messages.create(
            model=model, max_tokens=64, messages=[{"role": "user", "content": unique("hello [status=400]")}]
        )
    assert refused.value.type == "invalid_request_error"
