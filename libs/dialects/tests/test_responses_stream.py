"""What is read of a Responses event stream as it passes, and the error event that goes on where it broke off."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import ResponseErrorEvent
from tollway_dialects.dialect import Dialect, StreamReader
from tollway_dialects.errors import GatewayErrorKind as Kind
from tollway_dialects.sse import event_data, format_event
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES

WIRE = WIRES[Dialect.OPENAI_RESPONSES]
ESTIMATE = 77
Cut = Callable[[bytes, list[int]], list[bytes]]
places = st.lists(st.integers(0, 10_000), max_size=8)


def event(kind: str, number: int = 0, **fields: object) -> bytes:
    return format_event(msgspec.json.encode({"type": kind, "sequence_number": number, **fields}), kind)


TOLD = {
    "input_tokens": 60,
    "input_tokens_details": {
        "cached_tokens": 32,
        "cache_write_tokens": 8,
        "cache_write_tokens_details": {"ttl_30m_tokens": 5, "ttl_12h_tokens": 3},
    },
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 69,
}
USED = Usage(uncached_input=20, cache_write_short=5, cache_write_long=3, cache_read=32, output=9, reasoning=4)
ANSWER = {"type": "message", "content": [{"type": "output_text", "text": "12345678"}]}
DONE = {"status": "completed", "output": [ANSWER], "usage": TOLD}
EVENTS = [
    event("response.created", 0, response={"status": "in_progress", "output": [], "usage": None}),
    event("response.output_item.added", 1, output_index=0, item={"type": "message", "content": []}),
    b": keep-alive\n\n",
    event("response.output_text.delta", 2, delta="12345678", logprobs=[], obfuscation="xyz"),
    event("response.reasoning_summary_text.delta", 3, delta="é" * 4),
    event("response.refusal.delta", 4, delta="abcd\u2028"),
    event("response.function_call_arguments.delta", 5, delta='{"q":2}'),
    event("response.audio.delta", 6, delta="A" * 4000),
    event("response.output_text.done", 7, text="12345678"),
]
COUNTED = [0, 0, 0, 2, 4, 6, 8, 8, 8]
FINAL = event("response.completed", 8, response=DONE)
STREAM = b"".join([*EVENTS, FINAL])


def read(*events: bytes) -> StreamReader:
    reader = WIRE.stream_reader(ESTIMATE, strip_usage=False)
    assert b"".join(reader.feed(each) for each in events) == b"".join(events)
    return reader


@pytest.mark.parametrize("count", range(len(COUNTED) + 1))
def test_a_stream_cut_after_any_event_has_counted_what_came(count: int) -> None:
    reader = read(*EVENTS[:count])
    output = COUNTED[count - 1] if count else 0
    assert reader.usage == Usage(uncached_input=ESTIMATE, output=output, is_estimated=True)
    assert (reader.is_complete, reader.stop_reason, reader.error) == (False, None, None)


@given(places, st.booleans())
def test_wherever_it_is_cut_the_same_is_read_and_all_is_handed_on(cut: Cut, places: list[int], strip: bool) -> None:
    reader = WIRE.stream_reader(ESTIMATE, strip_usage=strip)
    assert b"".join(reader.feed(piece) for piece in cut(STREAM, places)) == STREAM
    assert reader.usage == USED
    assert (reader.is_complete, reader.stop_reason, reader.error) == (True, "completed", None)


@given(st.integers(0, len(STREAM)), places)
def test_half_an_event_is_never_handed_on(cut: Cut, end: int, places: list[int]) -> None:
    reader = WIRE.stream_reader(ESTIMATE, strip_usage=False)
    handed_on = b"".join(reader.feed(piece) for piece in cut(STREAM[:end], places))
    whole = STREAM[:end].rfind(b"\n\n")
    assert handed_on == STREAM[: whole + 2 if whole >= 0 else 0]


@pytest.mark.parametrize(
    ("kind", "response", "reason"),
    [
        ("completed", DONE, "completed"),
        ("completed", DONE | {"output": [{"type": "reasoning", "summary": []}, ANSWER]}, "completed"),
        ("completed", DONE | {"output": [ANSWER, {"type": "function_call", "arguments": "{}"}]}, "function_call"),
        ("completed", DONE | {"output": [{"type": "message", "content": [{"type": "refusal"}]}]}, "refusal"),
        ("completed", DONE | {"output": [{"type": "mcp_approval_request"}]}, "mcp_approval_request"),
        (
            "incomplete",
            DONE | {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            "max_output_tokens",
        ),
        ("incomplete", DONE | {"status": "incomplete"}, "incomplete"),
    ],
)
def test_status_and_output_tell_why_it_stopped(kind: str, response: dict[str, Any], reason: str) -> None:
    reader = read(*EVENTS, event(f"response.{kind}", response=response))
    assert (reader.is_complete, reader.stop_reason, reader.usage) == (True, reason, USED)
    assert WIRE.read_usage(json.dumps(response).encode()) == (USED, reason)
    assert WIRE.is_storable(reason) == (reason == "completed")


def test_a_failed_response_is_an_error_whose_usage_counts() -> None:
    failed = {"status": "failed", "error": {"code": "server_error", "message": "x"}, "usage": TOLD}
    reader = read(*EVENTS, event("response.failed", response=failed))
    assert (reader.error, reader.is_complete, reader.usage) == ("server_error", False, USED)
    assert read(event("response.failed", response={"status": "failed"})).error == "upstream_error"
    assert read(event("response.failed")).error == "upstream_error"


def test_an_error_event_is_noticed_and_handed_on() -> None:
    reader = read(*EVENTS, event("error", code="rate_limit_exceeded", message="x", param=None))
    assert (reader.error, reader.is_complete, reader.usage.is_estimated) == ("rate_limit_exceeded", False, True)
    assert read(event("error", code=None)).error == "upstream_error"


@pytest.mark.parametrize("data", [b'{"type":"response.output_text.delta","delta":"te', b"garbage", b'["x"]', b"7"])
def test_garbage_is_noticed(data: bytes) -> None:
    reader = read(*EVENTS[:4], format_event(data, "response.output_text.delta"))
    assert (reader.error, reader.is_complete, reader.usage.output) == ("malformed_event", False, 2)


@pytest.mark.parametrize(
    "data",
    [
        b'{"type":"response.brand_new","delta":{"of":"another shape"},"response":7}',
        b'{"type":"response.output_text.delta","delta":["parts"]}',
        b'{"type":["x"]}',
        b'{"sequence_number":"eight"}',
        b"[DONE]",
    ],
)
def test_an_event_of_an_unknown_shape_passes_unread(data: bytes) -> None:
    reader = read(EVENTS[0], format_event(data), *EVENTS[1:], FINAL)
    assert (reader.error, reader.is_complete, reader.usage) == (None, True, USED)


@pytest.mark.parametrize(
    ("odd", "reason", "usage"),
    [
        (b'"id":"\\ud83d"', "completed", USED),  # half of a pair, as text that was cut may hold
        (b'"output":"none"', "unknown", USED),
        (b'"output":[{"type":7}]', "unknown", USED),
        (b'"usage":{"input_tokens":"many"}', "completed", Usage(ESTIMATE, output=8, is_estimated=True)),
    ],
)
def test_the_final_event_is_final_whatever_is_odd_in_it(odd: bytes, reason: str, usage: Usage) -> None:
    fields = {name: value for name, value in DONE.items() if not odd.startswith(b'"%s"' % name.encode())}
    data = b'{"type":"response.completed","response":%s,%s}}' % (msgspec.json.encode(fields)[:-1], odd)
    reader = read(*EVENTS, format_event(data, "response.completed"))
    assert (reader.is_complete, reader.error, reader.stop_reason, reader.usage) == (True, None, reason, usage)


# --- the error event that ends a stream


@pytest.mark.parametrize("count", range(len(EVENTS) + 1))
def test_an_error_event_goes_on_with_the_streams_own_numbers(count: int) -> None:
    sent = EVENTS[:count]
    numbers = [json.loads(event_data(each))["sequence_number"] for each in sent if each != EVENTS[2]]
    ended = WIRE.error_event(Kind.UNAVAILABLE, "gone", "req_1", b"".join(sent))
    told = ResponseErrorEvent.model_validate_json(event_data(ended), strict=True)
    assert ended.startswith(b"event: error\n")
    assert (told.code, told.message, told.param) == ("unavailable", "gone", None)
    assert told.sequence_number == (max(numbers) + 1 if numbers else 0)


@pytest.mark.parametrize("ended", [event("error", 9, code="x"), event("response.failed", 9)])
def test_a_stream_that_the_provider_ended_with_an_error_ends_once(ended: bytes) -> None:
    assert WIRE.error_event(Kind.INTERNAL, "gone", "req_1", EVENTS[0] + ended) == b""


def test_the_sdk_hands_the_error_event_over(answering: Any) -> None:
    ended = WIRE.error_event(Kind.INTERNAL, "gone", "req_1", b"".join(EVENTS))
    *_, last = answering.openai(b"".join(EVENTS) + ended).responses.create(model="m", input="?", stream=True)
    assert isinstance(last, ResponseErrorEvent)
    assert (last.code, last.message, last.sequence_number) == ("internal_error", "gone", 8)
