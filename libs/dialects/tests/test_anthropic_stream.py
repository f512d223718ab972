"""What is read of an Anthropic event stream as it passes."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tollway_dialects.dialect import Dialect, StreamReader
from tollway_dialects.sse import format_event
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES

WIRE = WIRES[Dialect.ANTHROPIC_MESSAGES]
ESTIMATE = 77
Cut = Callable[[bytes, list[int]], list[bytes]]


def event(kind: str, **fields: object) -> bytes:
    return format_event(msgspec.json.encode({"type": kind, **fields}), kind)


def delta(**fields: object) -> bytes:
    return event("content_block_delta", index=0, delta=fields)


START = event(
    "message_start",
    message={
        "id": "msg_1",
        "content": [],
        "stop_reason": None,
        "usage": {
            "input_tokens": 14,
            "cache_creation_input_tokens": 30,
            "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
            "cache_read_input_tokens": 2048,
            "output_tokens": 1,
        },
    },
)
EVENTS = [
    START,
    event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    event("ping"),
    delta(type="text_delta", text="12345678"),
    delta(type="thinking_delta", thinking="é" * 6),
    b": comment\n\n",
    delta(type="input_json_delta", partial_json=""),
    delta(type="input_json_delta", partial_json='{"a":1}\u2028'),
    delta(type="signature_delta", signature="x" * 400),
    event("content_block_stop", index=0),
    event(
        "message_delta",
        delta={"stop_reason": "end_turn", "stop_sequence": None},
        usage={"input_tokens": 14, "output_tokens": 31, "output_tokens_details": {"thinking_tokens": 9}},
    ),
    event("message_stop"),
]
INPUT = {"uncached_input": 14, "cache_write_short": 10, "cache_write_long": 20, "cache_read": 2048}
# output as counted after each event, until the provider tells it
COUNTED = [0, 0, 0, 2, 5, 5, 5, 8, 8, 8]
STREAM = b"".join(EVENTS)


def read(*events: bytes) -> StreamReader:
    reader = WIRE.stream_reader(ESTIMATE, strip_usage=False)
    assert b"".join(reader.feed(event) for event in events) == b"".join(events)
    return reader


@pytest.mark.parametrize("seen", range(len(COUNTED) + 1))
def test_a_stream_cut_after_any_event_has_told_its_input_and_counted_its_output(seen: int) -> None:
    reader = read(*EVENTS[:seen])
    expected = (
        Usage(**INPUT, output=COUNTED[seen - 1], is_estimated=True)
        if seen
        else Usage(uncached_input=ESTIMATE, is_estimated=True)
    )
    assert reader.usage == expected
    assert (reader.is_complete, reader.stop_reason, reader.error) == (False, None, None)


def test_the_final_usage_is_the_one_told_and_not_the_placeholder_of_the_start() -> None:
    reader = read(*EVENTS[:-1])
    assert reader.usage == Usage(**INPUT, output=31, reasoning=9)
    assert (reader.is_complete, reader.stop_reason) == (False, "end_turn")
    assert read(*EVENTS).is_complete


@given(st.lists(st.integers(0, 10_000), max_size=8))
def test_wherever_it_is_cut_the_same_is_read_and_all_is_handed_on(cut: Cut, places: list[int]) -> None:
    reader = WIRE.stream_reader(ESTIMATE, strip_usage=False)
    assert b"".join(reader.feed(piece) for piece in cut(STREAM, places)) == STREAM
    assert reader.usage == Usage(**INPUT, output=31, reasoning=9)
    assert (reader.is_complete, reader.stop_reason, reader.error) == (True, "end_turn", None)


@given(st.integers(0, len(STREAM)), st.lists(st.integers(0, 10_000), max_size=4))
def test_half_an_event_is_never_handed_on(cut: Cut, end: int, places: list[int]) -> None:
    reader = WIRE.stream_reader(ESTIMATE, strip_usage=False)
    handed_on = b"".join(reader.feed(piece) for piece in cut(STREAM[:end], places))
    whole = STREAM[:end].rfind(b"\n\n")
    assert handed_on == STREAM[: whole + 2 if whole >= 0 else 0]


def test_pieces_that_are_whole_events_are_handed_on_as_the_same_object() -> None:
    reader = WIRE.stream_reader(ESTIMATE, strip_usage=False)
    assert reader.feed(START) is START


def test_counts_of_a_second_message_delta_add_to_the_first() -> None:
    first = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 31})
    second = event("message_delta", delta={}, usage={"cache_read_input_tokens": 0})
    reader = read(START, first, second)
    assert reader.usage == Usage(**INPUT | {"cache_read": 0}, output=31)
    assert reader.stop_reason == "end_turn"


@pytest.mark.parametrize("usage", [{}, {"usage": None}, {"usage": {"output_tokens": None}}])
def test_a_message_delta_that_tells_no_output_leaves_the_count_an_estimate(usage: dict[str, object]) -> None:
    text = delta(type="text_delta", text="12345678")
    reader = read(START, text, event("message_delta", delta={"stop_reason": "end_turn"}, **usage))
    assert reader.usage == Usage(**INPUT, output=2, is_estimated=True)


def test_an_explicit_zero_is_a_count() -> None:
    told = {"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0}
    text = delta(type="text_delta", text="12345678")
    assert read(START, text, event("message_delta", delta={}, usage=told)).usage == Usage()


def test_an_error_event_is_noticed_and_handed_on() -> None:
    error = event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    reader = read(*EVENTS[:4], error)
    assert (reader.error, reader.is_complete) == ("overloaded_error", False)
    assert read(event("error")).error == "api_error"


@pytest.mark.parametrize("data", [b'{"type":"content_block_delta","delta":{"te', b"garbage", b'["message_stop"]', b"7"])
def test_garbage_is_noticed(data: bytes) -> None:
    reader = read(*EVENTS[:4], format_event(data, "content_block_delta"))
    assert (reader.error, reader.is_complete) == ("malformed_event", False)
    assert reader.usage.output == 2


@pytest.mark.parametrize(
    "data",
    [
        b'{"type":"content_block_delta","delta":{"type":"text_delta","text":"\\ud83d"}}',  # half of a pair
        b'{"type":"content_block_delta","delta":{"type":"new_delta","text":{"of":"another shape"}}}',
        b'{"type":"content_block_delta","delta":null}',
        b'{"type":"message_delta","usage":{"output_tokens":"many"}}',
        b'{"type":"brand_new_event","message":7}',
        b'{"type":["x"]}',
    ],
)
def test_an_event_of_an_unknown_shape_passes_unread(data: bytes) -> None:
    reader = read(START, format_event(data, "x"), *EVENTS[1:])
    assert (reader.error, reader.is_complete) == (None, True)
    assert reader.usage == Usage(**INPUT, output=31, reasoning=9)


def test_stripping_takes_nothing_out_of_a_stream_whose_usage_is_part_of_it() -> None:
    assert WIRE.stream_reader(ESTIMATE, strip_usage=True).feed(STREAM) == STREAM


def test_one_odd_event_among_many_takes_nothing_from_the_others() -> None:
    odd = event("content_block_delta", delta="of another shape")
    together = WIRE.stream_reader(ESTIMATE, strip_usage=False)
    assert together.feed(b"".join([*EVENTS[:5], odd, *EVENTS[5:]])) == b"".join([*EVENTS[:5], odd, *EVENTS[5:]])
    assert (together.usage, together.error, together.is_complete) == (read(*EVENTS).usage, None, True)
