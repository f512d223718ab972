"""A whole OpenAI chat answer as a chunk stream and back; OpenAI's SDK adds the stream up to the same completion."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.sse import EventSplitter, event_data, format_event
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES

WIRE = WIRES[Dialect.OPENAI_CHAT]
USAGE = {
    "prompt_tokens": 40,
    "completion_tokens": 9,
    "total_tokens": 49,
    "prompt_tokens_details": {"cached_tokens": 32, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 4, "accepted_prediction_tokens": 1},
}
LOGPROB = {"token": "Hé", "logprob": -0.25, "bytes": [72, 195, 169], "top_logprobs": []}
ANNOTATION = {"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 3, "title": "t", "url": "u"}}


def call(number: int, arguments: str) -> dict[str, Any]:
    return {"id": f"call_{number}", "type": "function", "function": {"name": "look", "arguments": arguments}}


def choice(index: int = 0, finish_reason: str = "stop", logprobs: Any = None, **message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": None, **message}
    return {"index": index, "message": said, "logprobs": logprobs, "finish_reason": finish_reason}


def answer(*choices: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "gpt-6-luna",
        "choices": list(choices),
        "usage": USAGE,
        "service_tier": "default",
        "system_fingerprint": "fp_1",
        **fields,
    }


ANSWERS = {
    "text": answer(choice(content="Hello \u2028 wörld 😀\n\ndata: x")),
    "empty text": answer(choice(content="")),
    "no text": answer(choice()),
    "refusal": answer(choice(refusal="I cannot")),
    "a tool call": answer(
        choice(content="let me look", tool_calls=[call(1, '{"q": "é"}')], finish_reason="tool_calls")
    ),
    "parallel tool calls": answer(
        choice(tool_calls=[call(1, '{"q": 1.50}'), call(2, "{}"), call(3, "")], finish_reason="tool_calls")
    ),
    "several choices": answer(
        choice(0, content="one"),
        choice(1, content="two", finish_reason="length"),
        choice(2, tool_calls=[call(1, "{}")], finish_reason="tool_calls"),
    ),
    "log probabilities": answer(choice(content="Hé", logprobs={"content": [LOGPROB, LOGPROB], "refusal": None})),
    "annotations": answer(choice(content="see", annotations=[ANNOTATION, ANNOTATION])),
    "what other servers add": answer(
        choice(content="so") | {"native_finish_reason": "end_turn"}, provider="P", citations=["https://x"]
    ),
    "content filter": answer(choice(content="so", finish_reason="content_filter")),
}


@pytest.fixture(params=ANSWERS.values(), ids=ANSWERS)
def completion(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.param


def as_events(completion: dict[str, Any], *, with_usage: bool = True) -> bytes:
    return WIRE.to_events(json.dumps(completion).encode(), with_usage=with_usage)


def chunks(events: bytes) -> list[dict[str, Any]]:
    *data, done = [event_data(event) for event in EventSplitter().feed(events)]
    assert done == b"[DONE]"
    return [json.loads(each) for each in data]


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def test_an_answer_survives_the_way_through_a_stream(completion: dict[str, Any]) -> None:
    assert without_nulls(json.loads(WIRE.from_events(as_events(completion), Usage()))) == without_nulls(completion)


def test_the_sdk_adds_the_stream_up_to_the_same_completion(answering: Any, completion: dict[str, Any]) -> None:
    asking = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "?"}]}
    with answering.openai(as_events(completion)).chat.completions.stream(**asking) as stream:
        for event in stream:
            assert event.type
        streamed = stream.current_completion_snapshot
    whole = answering.openai(json.dumps(completion).encode()).chat.completions.create(**asking)
    assert without_nulls(plain(streamed)) == without_nulls(plain(whole))


def plain(completion: Any) -> Any:
    """What was said, less what the accumulator itself adds or does not know."""
    said = completion.model_dump()
    for each in said["choices"]:
        each["message"].pop("parsed", None)
        each.pop("native_finish_reason", None)
        for called in each["message"].get("tool_calls") or []:
            called.pop("index", None)
            called["function"].pop("parsed_arguments", None)
    return said


def test_the_reader_reads_in_the_stream_what_the_answer_says(completion: dict[str, Any]) -> None:
    reader = WIRE.stream_reader(1, strip_usage=False)
    reader.feed(as_events(completion))
    assert (reader.usage, reader.stop_reason) == WIRE.read_usage(json.dumps(completion).encode())
    assert reader.is_complete


def test_usage_is_told_only_to_those_who_ask(completion: dict[str, Any]) -> None:
    asked = chunks(as_events(completion))
    assert (asked[-1]["choices"], asked[-1]["usage"]) == ([], USAGE)
    assert all(chunk["usage"] is None and chunk["choices"] for chunk in asked[:-1])
    unasked = chunks(as_events(completion, with_usage=False))
    assert unasked == [{name: chunk[name] for name in chunk if name != "usage"} for chunk in asked[:-1]]


def test_the_role_comes_first_and_the_reason_last(completion: dict[str, Any]) -> None:
    for index, expected in enumerate(completion["choices"]):
        parts = [chunk["choices"][0] for chunk in chunks(as_events(completion)) if chunk["choices"]]
        parts = [part for part in parts if part["index"] == index]
        assert parts[0]["delta"]["role"] == "assistant"
        assert [part["finish_reason"] for part in parts] == [None, None, expected["finish_reason"]]


def test_a_real_stream_adds_up() -> None:
    def part(index: int = 0, finish_reason: str | None = None, **delta: Any) -> bytes:
        choices = [{"index": index, "delta": delta, "finish_reason": finish_reason, "logprobs": None}]
        return format_event(json.dumps({"id": "c", "model": "m", "choices": choices, "obfuscation": "x"}).encode())

    stream = [
        format_event(b'{"id":"","model":"","choices":[],"prompt_filter_results":[]}'),
        part(role="assistant", content=None),
        part(1, role="assistant", content="", refusal=None),
        part(tool_calls=[]),
        part(tool_calls=[{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]),
        part(1, content="so "),
        part(tool_calls=[{"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}}]),
        part(tool_calls=[{"index": 0, "function": {"arguments": '{"q"'}}]),
        part(tool_calls=[{"index": 1, "function": {"arguments": "{}"}}]),
        part(tool_calls=[{"index": 0, "function": {"arguments": ":2}"}}]),
        part(1, content="be it"),
        part(1, "stop"),
        part(0, "tool_calls"),
        b"data: [DONE]\n\n",
    ]
    answer = json.loads(WIRE.from_events(b"".join(stream), Usage()))
    assert (answer["object"], answer["id"], answer["model"]) == ("chat.completion", "c", "m")
    first, second = answer["choices"]
    assert first["message"]["tool_calls"] == [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"q":2}'}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    assert (first["message"]["content"], first["finish_reason"]) == (None, "tool_calls")
    assert (second["message"]["content"], second["finish_reason"]) == ("so be it", "stop")


@pytest.mark.parametrize(
    "delta",
    [
        {"audio": {"id": "a", "data": "zzz"}},
        {"tool_calls": [{"index": 5, "id": "x"}]},
        {"tool_calls": [{"id": "x"}]},
        {"tool_calls": [{"index": 0, "id": "x", "type": "custom", "custom": {"name": "n", "input": "i"}}]},
        {"content": ["part"]},
    ],
)
def test_what_cannot_be_put_together_is_refused(delta: dict[str, Any]) -> None:
    chunk = {"choices": [{"index": 0, "delta": delta}]}
    with pytest.raises((LookupError, TypeError, ValueError)):
        WIRE.from_events(format_event(json.dumps(chunk).encode()), Usage())


def test_a_replayed_answer_has_usage_that_a_reader_can_bill() -> None:
    body = WIRE.from_events(as_events(answer(choice(content="x"))), Usage())
    assert WIRE.read_usage(body) == (Usage(uncached_input=8, cache_read=32, output=9, reasoning=4), "stop")


def test_a_stream_whose_usage_was_taken_out_adds_up_with_the_usage_that_was_booked() -> None:
    used = Usage(uncached_input=8, cache_write_short=2, cache_read=32, output=9, reasoning=4)
    body = WIRE.from_events(WIRE.to_events(json.dumps(answer(choice(content="x"))).encode(), with_usage=False), used)
    assert WIRE.read_usage(body) == (used, "stop")
