"""What is read of an OpenAI chunk stream as it passes, and the one chunk that may be taken out."""

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

WIRE = WIRES[Dialect.OPENAI_CHAT]
ESTIMATE = 77
Cut = Callable[[bytes, list[int]], list[bytes]]
places = st.lists(st.integers(0, 10_000), max_size=8)


def chunk(*choices: object, **fields: object) -> bytes:
    return format_event(msgspec.json.encode({"id": "c", "choices": choices, **fields}))


def choice(index: int = 0, finish_reason: str | None = None, **delta: object) -> dict[str, object]:
    return {"index": index, "delta": delta, "finish_reason": finish_reason}


def tool(arguments: str | None) -> list[dict[str, object]]:
    return [{"index": 0, "function": {"arguments": arguments}}]


TOLD = {
    "prompt_tokens": 40,
    "completion_tokens": 9,
    "total_tokens": 49,
    "prompt_tokens_details": {"cached_tokens": 32, "cache_write_tokens": 3},
    "completion_tokens_details": {"reasoning_tokens": 4},
}
USED = Usage(uncached_input=5, cache_write_short=3, cache_read=32, output=9, reasoning=4)
USAGE = chunk(usage=TOLD)
DONE = b"data: [DONE]\n\n"
EVENTS = [
    chunk(choice(role="assistant", content=""), usage=None),
    b": OPENROUTER PROCESSING\n\n",
    chunk(choice(content="12345678"), usage=None, obfuscation="xyz"),
    chunk(choice(refusal="abcd\u2028"), usage=None),
    chunk(choice(reasoning_content="é" * 4), usage=None),
    chunk(choice(tool_calls=tool("")), usage=None),
    chunk(choice(tool_calls=tool('{"q":2}')), usage=None),
    chunk(usage=None),
    chunk({"index": 0, "finish_reason": "tool_calls"}, usage=None),
]
# output as counted after each event, until the provider tells it
COUNTED = [0, 0, 2, 4, 6, 6, 8, 8, 8]
STREAM = b"".join([*EVENTS, USAGE, DONE])


def read(*events: bytes) -> StreamReader:
    reader = WIRE.stream_reader(ESTIMATE, strip_usage=False)
    assert b"".join(reader.feed(event) for event in events) == b"".join(events)
    return reader


@pytest.mark.parametrize("seen", range(len(COUNTED) + 1))
def test_a_stream_cut_after_any_event_has_counted_what_came(seen: int) -> None:
    reader = read(*EVENTS[:seen])
    counted = COUNTED[seen - 1] if seen else 0
    assert reader.usage == Usage(uncached_input=ESTIMATE, output=counted, is_estimated=True)
    assert (reader.is_complete, reader.error) == (False, None)
    assert reader.stop_reason == ("tool_calls" if seen == len(EVENTS) else None)


def test_the_usage_chunk_settles_the_counts_and_done_the_end() -> None:
    reader = read(*EVENTS, USAGE)
    assert (reader.usage, reader.is_complete) == (USED, False)
    reader.feed(DONE)
    assert (reader.is_complete, reader.stop_reason, reader.error) == (True, "tool_calls", None)


@given(places)
def test_without_stripping_every_byte_is_handed_on(cut: Cut, places: list[int]) -> None:
    reader = WIRE.stream_reader(ESTIMATE, strip_usage=False)
    assert b"".join(reader.feed(piece) for piece in cut(STREAM, places)) == STREAM
    assert (reader.usage, reader.is_complete) == (USED, True)


@given(places, st.booleans())
def test_stripping_takes_out_the_usage_chunk_alone_wherever_the_stream_is_cut(
    cut: Cut, places: list[int], crlf: bool
) -> None:
    stream = STREAM.replace(b"\n", b"\r\n") if crlf else STREAM
    usage = USAGE.replace(b"\n", b"\r\n") if crlf else USAGE
    reader = WIRE.stream_reader(ESTIMATE, strip_usage=True)
    handed_on = b"".join(reader.feed(piece) for piece in cut(stream, places))
    assert handed_on == stream.replace(usage, b"").replace(b',"usage":null', b"")
    assert b"usage" not in handed_on
    assert (reader.usage, reader.is_complete) == (USED, True)


@given(st.integers(0, len(STREAM)), places, st.booleans())
def test_half_an_event_is_never_handed_on(cut: Cut, end: int, places: list[int], strip: bool) -> None:
    reader = WIRE.stream_reader(ESTIMATE, strip_usage=strip)
    handed_on = b"".join(reader.feed(piece) for piece in cut(STREAM[:end], places))
    whole = STREAM[: STREAM[:end].rfind(b"\n\n") + 2] if b"\n\n" in STREAM[:end] else b""
    assert handed_on == (whole.replace(USAGE, b"").replace(b',"usage":null', b"") if strip else whole)


def test_a_text_that_speaks_of_usage_keeps_it() -> None:
    said = chunk(choice(content=',"usage":null'))
    assert WIRE.stream_reader(ESTIMATE, strip_usage=True).feed(said) == said


@pytest.mark.parametrize("strip", [True, False])
def test_a_usage_chunk_that_carries_a_choice_is_read_and_handed_on(strip: bool) -> None:
    # as OpenRouter sends it, whether asked or not: the finish reason comes twice
    last = chunk(choice(finish_reason="stop", content=""), usage=TOLD | {"cost": 0.01})
    reader = WIRE.stream_reader(ESTIMATE, strip_usage=strip)
    stream = chunk(choice(content="12345678")) + chunk(choice(finish_reason="stop")) + last + DONE
    assert reader.feed(stream) == stream
    assert (reader.usage, reader.stop_reason) == (USED, "stop")


@pytest.mark.parametrize("usage", [None, TOLD])
def test_an_error_chunk_is_noticed_and_handed_on(usage: object) -> None:
    error = chunk(error={"message": "The server had an error", "code": 502}, usage=usage)
    reader = WIRE.stream_reader(ESTIMATE, strip_usage=True)
    unasked = b',"usage":null'
    assert reader.feed(EVENTS[2] + error) == (EVENTS[2] + error).replace(unasked, b"")
    assert (reader.error, reader.is_complete) == ("upstream_error", False)


def test_an_error_chunk_as_the_only_event_is_noticed() -> None:
    assert read(format_event(b'{"error":{"message":"x","type":"server_error"}}')).error == "upstream_error"


@pytest.mark.parametrize("data", [b'{"choices":[{"delta":{"conte', b"garbage", b'["[DONE]"]', b'"x"', b"{'a': 1}"])
def test_garbage_is_noticed(data: bytes) -> None:
    reader = read(EVENTS[2], format_event(data))
    assert (reader.error, reader.is_complete, reader.usage.output) == ("malformed_event", False, 2)


@pytest.mark.parametrize(
    "data",
    [
        b'{"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}',  # half of a pair
        b'{"choices":null,"usage":null}',
        b'{"choices":[{"delta":{"content":["parts"]}}]}',
        b'{"choices":[],"usage":{"prompt_tokens":"many"}}',
    ],
)
def test_a_chunk_of_an_unknown_shape_passes_unread(data: bytes) -> None:
    reader = read(EVENTS[2], format_event(data), USAGE, DONE)
    assert (reader.error, reader.is_complete, reader.usage) == (None, True, USED)


@pytest.mark.parametrize("reasons", [("tool_calls", "stop"), ("stop", "tool_calls"), ("length", "tool_calls")])
def test_of_several_choices_the_one_that_is_not_whole_gives_the_reason(reasons: tuple[str, ...]) -> None:
    chunks = [chunk(choice(index, reason)) for index, reason in enumerate(reasons)]
    assert read(*chunks).stop_reason == "tool_calls"
    answer = {"choices": [{"index": index, "finish_reason": reason} for index, reason in enumerate(reasons)]}
    assert WIRE.read_usage(msgspec.json.encode(answer)) == (None, "tool_calls")
