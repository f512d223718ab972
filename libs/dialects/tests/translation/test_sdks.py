"""The vendors' SDKs parse what translation makes, and give their users what the upstream said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

GOLDEN = Path(__file__).parent / "golden"
UPSTREAMS = ("anthropic", "chat", "responses", "gemini")
TEXT = "I look it up: 4 °C?"


def told(answer: Any, upstream: str, client: str, *, stream: bool) -> bytes:
    translator = answer(upstream, client)
    if stream:
        written: bytes = translator.feed((GOLDEN / f"streams/tools/{upstream}/told.sse").read_bytes())
        assert translator.is_complete
        return written
    whole: bytes = translator.whole((GOLDEN / f"answers/tools/{upstream}/told.json").read_bytes())
    return whole


@pytest.mark.parametrize("upstream", [name for name in UPSTREAMS if name != "anthropic"])
@pytest.mark.parametrize("stream", [True, False])
def test_anthropics_sdk_reads_every_upstream(answering: Any, answer: Any, upstream: str, stream: bool) -> None:
    client = answering.anthropic(told(answer, upstream, "anthropic", stream=stream))
    asked: Any = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "?"}]}
    if stream:
        with client.messages.stream(**asked) as events:
            message = events.get_final_message()
    else:
        message = client.messages.create(**asked)
    assert isinstance(message, anthropic.types.Message)
    assert message.stop_reason == "tool_use"
    assert [block.text for block in message.content if block.type == "text"] == [TEXT]
    calls = [(block.name, block.input) for block in message.content if block.type == "tool_use"]
    assert calls[0] == ("weather", {"city": "Oslo"})
    assert len(calls) == 2
    assert message.content[0].type == "thinking"
    assert message.content[0].thinking.startswith("Two cities.")
    usage = message.usage
    assert (usage.cache_read_input_tokens, usage.output_tokens) == (32, 20)
    assert usage.input_tokens == (8 if upstream == "gemini" else 4)


@pytest.mark.parametrize("upstream", [name for name in UPSTREAMS if name != "chat"])
def test_openais_sdk_reads_every_upstream_as_chat(answering: Any, answer: Any, upstream: str) -> None:
    asked: Any = {"model": "m", "messages": [{"role": "user", "content": "?"}]}
    whole = answering.openai(told(answer, upstream, "chat", stream=False)).chat.completions.create(**asked)
    with answering.openai(told(answer, upstream, "chat", stream=True)).chat.completions.stream(
        **asked, stream_options={"include_usage": True}
    ) as events:
        streamed = events.get_final_completion()
    for completion in (whole, streamed):
        message = completion.choices[0].message
        assert (message.content, completion.choices[0].finish_reason) == (TEXT, "tool_calls")
        assert [call.function.name for call in message.tool_calls] == ["weather", "now"]
        assert message.tool_calls[0].function.arguments.replace(" ", "") == '{"city":"Oslo"}'
        assert completion.usage.total_tokens == (2193 if upstream == "anthropic" else 60)


@pytest.mark.parametrize("upstream", [name for name in UPSTREAMS if name != "responses"])
def test_openais_sdk_reads_every_upstream_as_responses(answering: Any, answer: Any, upstream: str) -> None:
    whole = answering.openai(told(answer, upstream, "responses", stream=False)).responses.create(model="m", input="?")
    with answering.openai(told(answer, upstream, "responses", stream=True)).responses.stream(
        model="m", input="?"
    ) as events:
        streamed = events.get_final_response()
    for response in (whole, streamed):
        assert isinstance(response, openai.types.responses.Response)
        assert (response.status, response.output_text) == ("completed", TEXT)
        calls = [item for item in response.output if item.type == "function_call"]
        assert [call.name for call in calls] == ["weather", "now"]
        assert response.output[0].type == "reasoning"
        assert response.output[0].summary[0].text.startswith("Two cities.")
        assert response.usage.input_tokens_details.cached_tokens == (2048 if upstream == "anthropic" else 32)


@pytest.mark.parametrize("client", ["chat", "responses"])
def test_an_overloaded_upstream_raises_in_mid_stream(answering: Any, answer: Any, client: str) -> None:
    stream = (GOLDEN / "streams/tools/anthropic/told.sse").read_bytes()
    broken = stream[: stream.index(b"event: content_block_stop")]
    broken += b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    translator = answer("anthropic", client)
    sdk = answering.openai(translator.feed(broken))
    assert translator.error.message == "Overloaded"
    if client == "chat":
        with pytest.raises(openai.APIError, match="Overloaded") as error:
            list(sdk.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}], stream=True))
        assert error.value.code == "overloaded"
        return
    last = list(sdk.responses.create(model="m", input="?", stream=True))[-1]  # handed over as an event
    assert (last.type, last.code, last.message) == ("error", "overloaded", "Overloaded")


def test_an_overloaded_upstream_raises_in_mid_stream_of_messages(answering: Any, answer: Any) -> None:
    translator = answer("gemini", "anthropic")
    stream = (GOLDEN / "streams/tools/gemini/told.sse").read_bytes()
    broken = stream[: stream.index(b"\r\n\r\n") + 4]
    broken += b'data: {"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}\r\n\r\n'
    sdk = answering.anthropic(translator.feed(broken))
    with pytest.raises(anthropic.APIStatusError, match="Overloaded") as error:
        list(sdk.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "?"}], stream=True))
    assert error.value.type == "overloaded_error"
