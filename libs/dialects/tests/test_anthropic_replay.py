"""A whole Anthropic answer as a stream and back; Anthropic's SDK adds the stream up to the same message."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.sse import EventSplitter, event_data
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES

if TYPE_CHECKING:
    from collections.abc import Callable

WIRE = WIRES[Dialect.ANTHROPIC_MESSAGES]
USAGE = {
    "input_tokens": 14,
    "cache_creation_input_tokens": 30,
    "cache_read_input_tokens": 2048,
    "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
    "output_tokens": 31,
    "output_tokens_details": {"thinking_tokens": 9},
    "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
    "service_tier": "standard",
}
CITATION = {
    "type": "char_location",
    "cited_text": "the sky is blue",
    "document_index": 0,
    "document_title": None,
    "end_char_index": 15,
    "file_id": None,
    "start_char_index": 0,
}
TEXT = {"type": "text", "text": "Hello \u2028 wörld 😀\n\ndata: x", "citations": None}
THINKING = {"type": "thinking", "thinking": "let me see", "signature": "EqQBCkgIBBABGAIiQ+/w=="}
REDACTED = {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix/LafPsn4a"}
TOOL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"q": "é", "n": 1.5, "deep": {"a": [1, None]}}}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "blue"}}
FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [{"type": "web_search_result", "title": "t", "url": "u", "encrypted_content": "e", "page_age": None}],
}


def answer(*content: dict[str, Any], stop_reason: str = "end_turn", **fields: Any) -> dict[str, Any]:
    return {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "content": list(content),
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": USAGE,
        **fields,
    }


ANSWERS = {
    "text": answer(TEXT),
    "text in several blocks with citations": answer(
        TEXT | {"citations": [CITATION, CITATION | {"start_char_index": 4}]}, TEXT | {"citations": []}, TEXT
    ),
    "empty text": answer(TEXT | {"text": ""}),
    "no content at all": answer(),
    "thinking with its signature": answer(THINKING, TEXT),
    "thinking of which nothing is shown": answer(THINKING | {"thinking": ""}, TEXT),
    "redacted thinking": answer(REDACTED, THINKING, TEXT),
    "a tool call": answer(TEXT, TOOL, stop_reason="tool_use"),
    "parallel tool calls": answer(
        TOOL, TOOL | {"id": "toolu_2", "input": {}}, TOOL | {"id": "toolu_3"}, stop_reason="tool_use"
    ),
    "a tool call without arguments": answer(TOOL | {"input": {}}, stop_reason="tool_use"),
    "a server's tool with its result": answer(SEARCH, FOUND, TEXT),
    "stop sequence": answer(TEXT, stop_reason="stop_sequence", stop_sequence="END"),
    "refusal": answer(
        stop_reason="refusal", stop_details={"type": "refusal", "category": "bio", "explanation": "because"}
    ),
    "container": answer(TEXT, container={"id": "container_1", "expires_at": "2026-11-21T00:00:00Z"}),
}


@pytest.fixture(params=ANSWERS.values(), ids=ANSWERS)
def message(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.param


def as_events(message: dict[str, Any]) -> bytes:
    return WIRE.to_events(json.dumps(message).encode(), with_usage=True)


def seen(events: bytes) -> list[dict[str, Any]]:
    return [json.loads(event_data(event)) for event in EventSplitter().feed(events)]


def test_an_answer_survives_the_way_through_a_stream(message: dict[str, Any]) -> None:
    assert json.loads(WIRE.from_events(as_events(message), Usage())) == message


def test_the_sdk_adds_the_stream_up_to_the_same_message(answering: Any, message: dict[str, Any]) -> None:
    asking = {"model": "claude-opus-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "?"}]}
    with answering.anthropic(as_events(message)).messages.stream(**asking) as stream:
        streamed = stream.get_final_message()
    whole = answering.anthropic(json.dumps(message).encode()).messages.create(**asking)
    assert streamed.model_dump(exclude={"parsed_output": True, "content": {"__all__": {"parsed_output"}}}) == (
        whole.model_dump()
    )


def test_the_reader_reads_in_the_stream_what_the_answer_says(message: dict[str, Any]) -> None:
    reader = WIRE.stream_reader(1, strip_usage=False)
    reader.feed(as_events(message))
    assert (reader.usage, reader.stop_reason) == WIRE.read_usage(json.dumps(message).encode())
    assert reader.is_complete


def test_the_stream_keeps_to_the_grammar(message: dict[str, Any]) -> None:
    events = seen(as_events(message))
    assert [event["type"] for event in (events[0], *events[-2:])] == ["message_start", "message_delta", "message_stop"]
    opening = events[0]["message"]
    assert (opening["content"], opening["stop_reason"], opening["usage"]["input_tokens"]) == ([], None, 14)
    blocks = [event for event in events[1:-2] if event["type"] != "content_block_delta"]
    for index in range(len(message["content"])):
        start, stop = blocks[2 * index : 2 * index + 2]
        assert (start["type"], start["index"]) == ("content_block_start", index)
        assert not start["content_block"].get("input")  # arguments come in deltas, those of servers' tools too
        assert (stop["type"], stop["index"]) == ("content_block_stop", index)
    for event in EventSplitter().feed(as_events(message)):
        assert event.startswith(b"event: %s\n" % json.loads(event_data(event))["type"].encode())


def test_edits_of_the_context_come_at_the_end_as_the_beta_sends_them() -> None:
    message = answer(TEXT, context_management={"applied_edits": []})
    events = seen(as_events(message))
    assert events[-2]["context_management"] == {"applied_edits": []}
    assert events[0]["message"]["context_management"] is None
    assert json.loads(WIRE.from_events(as_events(message), Usage())) == message


def test_what_the_end_of_a_stream_adds_to_the_message_is_kept(event: Callable[..., bytes]) -> None:
    stream = event("message_start", message=answer()) + event("message_delta", delta={}, diagnostics={"miss": "x"})
    assert json.loads(WIRE.from_events(stream, Usage())) == answer(diagnostics={"miss": "x"})


def test_a_real_stream_adds_up(event: Callable[..., bytes]) -> None:
    stream = [
        event("message_start", message=answer(stop_reason=None, usage={"input_tokens": 5, "output_tokens": 1})),
        event("ping"),
        event("content_block_start", index=0, content_block={"type": "tool_use", "id": "t", "name": "n", "input": {}}),
        *(
            event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": piece})
            for piece in ("", '{"q"', ": 2}")
        ),
        event("content_block_stop", index=0),
        b": comment\n\n",
        event("content_block_start", index=1, content_block={"type": "text", "text": "", "citations": []}),
        event("content_block_delta", index=1, delta={"type": "text_delta", "text": "so "}),
        event("content_block_delta", index=1, delta={"type": "citations_delta", "citation": CITATION}),
        event("content_block_delta", index=1, delta={"type": "text_delta", "text": "blue"}),
        event("content_block_stop", index=1),
        event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 9}),
        event("message_stop"),
    ]
    assert json.loads(WIRE.from_events(b"".join(stream), Usage())) == answer(
        {"type": "tool_use", "id": "t", "name": "n", "input": {"q": 2}},
        {"type": "text", "text": "so blue", "citations": [CITATION]},
        usage={"input_tokens": 5, "output_tokens": 9},
    )


def test_what_cannot_be_put_together_is_refused(event: Callable[..., bytes]) -> None:
    start = event("message_start", message=answer())
    block = event("content_block_start", index=0, content_block={"type": "tool_use", "input": {}})
    half = event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": '{"q'})
    unknown = event("content_block_delta", index=0, delta={"type": "compaction_delta", "content": "x"})
    for events in (b"", block, start + half, start + block + half, start + block + unknown, b"data: garbage\n\n"):
        with pytest.raises((LookupError, TypeError, ValueError)):
            WIRE.from_events(events, Usage())


def test_a_replayed_answer_has_usage_that_a_reader_can_bill() -> None:
    assert WIRE.read_usage(WIRE.from_events(as_events(answer(TEXT)), Usage())) == (
        Usage(14, cache_write_short=10, cache_write_long=20, cache_read=2048, output=31, reasoning=9),
        "end_turn",
    )
