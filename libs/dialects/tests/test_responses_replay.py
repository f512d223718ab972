"""A whole response object as an event stream and back; OpenAI's SDK knows every event and ends at the same response."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter
from tollway_dialects.dialect import Dialect
from tollway_dialects.sse import EventSplitter, event_data
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES

WIRE = WIRES[Dialect.OPENAI_RESPONSES]
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
USAGE = {
    "input_tokens": 40,
    "input_tokens_details": {"cached_tokens": 32, "cache_write_tokens": 0},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 49,
}
LOGPROB = {"token": "Hé", "bytes": [72, 195, 169], "logprob": -0.25, "top_logprobs": []}
CITATION = {"type": "url_citation", "start_index": 0, "end_index": 3, "title": "t", "url": "u"}


def text(said: str, **fields: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": said, "annotations": [], "logprobs": [], **fields}


def message(*parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": list(parts),
        **fields,
    }


def reasoning(*summary: str, **fields: Any) -> dict[str, Any]:
    parts = [{"type": "summary_text", "text": part} for part in summary]
    return {"id": "rs_1", "type": "reasoning", "summary": parts, **fields}


def call(number: int, arguments: str) -> dict[str, Any]:
    called = {"id": f"fc_{number}", "type": "function_call", "call_id": f"call_{number}", "name": "look"}
    return {**called, "arguments": arguments, "status": "completed"}


def response(*items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "completed_at": 1_790_000_009,
        "error": None,
        "incomplete_details": None,
        "instructions": "Be kind.",
        "metadata": {"a": "b"},
        "model": "gpt-6-luna",
        "output": list(items),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "store": False,
        "temperature": 1.0,
        "usage": USAGE,
        **fields,
    }


RESPONSES = {
    "text": response(message(text("Hello \u2028 wörld 😀\n\ndata: x"))),
    "empty text": response(message(text(""))),
    "no output": response(),
    "phases": response(
        message(text("let me see"), phase="commentary"), message(text("so"), id="msg_2", phase="final_answer")
    ),
    "several parts with citations": response(message(text("see", annotations=[CITATION, CITATION]), text("more"))),
    "log probabilities": response(message(text("Hé", logprobs=[LOGPROB]))),
    "refusal": response(message({"type": "refusal", "refusal": "I cannot"})),
    "reasoning": response(reasoning("first", "then", encrypted_content="gAAAA+/w=="), message(text("so"))),
    "reasoning of which nothing is shown": response(reasoning(encrypted_content=None), message(text("so"))),
    "reasoning that is shown": response(
        reasoning(content=[{"type": "reasoning_text", "text": "hm"}], status="completed"), message(text("so"))
    ),
    "parallel calls": response(call(1, '{"q": "é"}'), call(2, "{}"), call(3, "")),
    "a call of a custom tool": response(
        {"id": "ctc_1", "type": "custom_tool_call", "call_id": "call_1", "name": "sh", "input": "ls \u2028"}
    ),
    "a search": response(
        {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "x"}},
        message(text("found")),
    ),
    "cut off": response(
        message(text("so"), status="incomplete"),
        status="incomplete",
        incomplete_details={"reason": "max_output_tokens"},
    ),
}


@pytest.fixture(params=RESPONSES.values(), ids=RESPONSES)
def answer(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.param


def as_events(answer: dict[str, Any]) -> bytes:
    return WIRE.to_events(json.dumps(answer).encode(), with_usage=True)


def seen(events: bytes) -> list[dict[str, Any]]:
    return [json.loads(event_data(event)) for event in EventSplitter().feed(events)]


def test_an_answer_survives_the_way_through_a_stream(answer: dict[str, Any]) -> None:
    assert json.loads(WIRE.from_events(as_events(answer), Usage())) == answer


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4), st.booleans())
def test_whatever_is_said_survives_the_way_through_a_stream(said: list[str], thinks: bool) -> None:
    answer = response(*[reasoning(*said)] * thinks, *[message(text(each), text(each)) for each in said])
    assert json.loads(WIRE.from_events(as_events(answer), Usage())) == answer


def test_every_event_is_one_that_the_sdks_types_require(answer: dict[str, Any]) -> None:
    Response.model_validate(answer)
    for event in seen(as_events(answer)):
        validated = EVENT.validate_python(event)
        assert validated.type == event["type"]
        assert validated.to_dict(mode="json") == event


def test_the_sdk_adds_the_stream_up_to_the_same_response(answering: Any, answer: dict[str, Any]) -> None:
    with answering.openai(as_events(answer)).responses.stream(model="gpt-6-luna", input="?") as stream:
        *_, final = stream
    whole = answering.openai(json.dumps(answer).encode()).responses.create(model="gpt-6-luna", input="?")
    ours = {"output": {"__all__": {"parsed_arguments": True, "content": {"__all__": {"parsed"}}}}}
    assert final.response.model_dump(exclude=ours, exclude_unset=True) == whole.model_dump(exclude_unset=True)
    assert final.response.output_text == whole.output_text


def test_the_reader_reads_in_the_stream_what_the_answer_says(answer: dict[str, Any]) -> None:
    reader = WIRE.stream_reader(1, strip_usage=False)
    reader.feed(as_events(answer))
    assert (reader.usage, reader.stop_reason) == WIRE.read_usage(json.dumps(answer).encode())
    assert (reader.is_complete, reader.error) == (True, None)


def test_the_stream_keeps_to_the_grammar(answer: dict[str, Any]) -> None:
    events = seen(as_events(answer))
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1] == {
        "type": f"response.{answer['status']}",
        "response": answer,
        "sequence_number": len(events) - 1,
    }
    opening = events[0]["response"]
    assert (opening["status"], opening["output"], opening["usage"]) == ("in_progress", [], None)
    for event in EventSplitter().feed(as_events(answer)):
        assert event.startswith(b"event: %s\n" % json.loads(event_data(event))["type"].encode())


def test_each_item_opens_empty_grows_and_ends_as_it_is(answer: dict[str, Any]) -> None:
    events = seen(as_events(answer))
    for index, item in enumerate(answer["output"]):
        first, *middle, last = [event for event in events if event.get("output_index") == index]
        assert (first["type"], last["type"]) == ("response.output_item.added", "response.output_item.done")
        assert last["item"] == item
        assert not any(first["item"].get(grown) for grown in ("content", "summary", "arguments", "encrypted_content"))
        for event in middle:
            assert event["item_id"] == item["id"]
        deltas = "".join(event["delta"] for event in middle if event["type"].endswith(".delta"))
        dones = [event for event in middle if event["type"].endswith(("text.done", "refusal.done", "arguments.done"))]
        if item["type"] != "custom_tool_call":
            said = [event.get("text", event.get("refusal", event.get("arguments"))) for event in dones]
            assert deltas == "".join(said)


def test_an_items_own_end_tells_more_than_the_responses_end() -> None:
    kept = reasoning("x", encrypted_content="gAAAA")
    events = as_events(response(kept, message(text("so"))))
    final = seen(events)[-1]["response"]
    for left in ([], [reasoning("x"), message(text("so"))]):
        stream = events.replace(json.dumps(final, separators=(",", ":"), ensure_ascii=False).encode(), b"@FINAL@")
        assert stream.count(b"@FINAL@") == 1
        stream = stream.replace(b"@FINAL@", json.dumps(final | {"output": left}).encode())
        assert json.loads(WIRE.from_events(stream, Usage()))["output"] == [kept, message(text("so"))]


def test_a_stream_without_usage_adds_up_with_the_usage_that_was_booked() -> None:
    used = Usage(uncached_input=8, cache_write_short=2, cache_write_long=3, cache_read=32, output=9, reasoning=4)
    body = WIRE.from_events(as_events(response(message(text("x")), usage=None)), used)
    assert WIRE.read_usage(body) == (used, "completed")
    Response.model_validate_json(body)


@pytest.mark.parametrize("status", ["failed", "in_progress", "queued", "cancelled", None])
def test_a_response_that_has_no_final_event_is_not_replayed(status: str | None) -> None:
    with pytest.raises((LookupError, TypeError, ValueError)):
        as_events(response(status=status))


def test_what_cannot_be_put_together_is_refused() -> None:
    whole = as_events(response(message(text("x"))))
    unknown = json.dumps(response(message({"type": "output_audio"}))).encode()
    for events in (b"", whole[: whole.rfind(b"event: ")], b"data: garbage\n\n", b'data: {"type":7}\n\n'):
        with pytest.raises((LookupError, TypeError, ValueError)):
            WIRE.from_events(events, Usage())
    with pytest.raises((LookupError, TypeError, ValueError)):
        WIRE.to_events(unknown, with_usage=True)
