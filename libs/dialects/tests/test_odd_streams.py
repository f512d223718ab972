"""Streams that no provider should send: whatever is quick about a reader reads the same as what is careful."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tollway_dialects.dialect import Dialect, StreamReader
from tollway_dialects.errors import MALFORMED_EVENT
from tollway_dialects.sse import MAX_EVENT
from tollway_dialects.wires import WIRES

MESSAGES, CHAT, RESPONSES = Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT, Dialect.OPENAI_RESPONSES
FINAL = {
    MESSAGES: b'data: {"type":"message_stop"}\n\n',
    CHAT: b"data: [DONE]\n\n",
    RESPONSES: b'data: {"type":"response.completed","response":{"status":"completed"}}\n\n',
}
DATA = [
    *(b"[DONE]", b"{}", b'{"x":[{}', b"{}]},{}", b"[1", b"1]", b"{},{}", b'"', b'{"type":"message_stop"}'),
    *(b'{"type":"error"}', b'{"type":"content_block_delta","delta":{"text":"12345678"}}'),
    b'{"choices":[{"index":0,"delta":{"content":"12345678"},"finish_reason":"stop"}],"usage":null}',
    b'{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}',
]
TEXT = (
    b"event: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"12345678"} }\n\n'
)
LINES = st.sampled_from([b"data: %b", b"data: %b", b"data:%b", b"data", b": %b", b"event: data: %b", b"id: 7\r", b""])
ODD_LINES = st.tuples(LINES, st.sampled_from(DATA)).map(lambda line: line[0].replace(b"%b", line[1]))
ODD = st.lists(ODD_LINES, min_size=1, max_size=3).map(lambda lines: b"\n".join([*lines, b"", b""]))
PLAIN = st.sampled_from(DATA).map(lambda data: b"event: x\ndata: %b\n\n" % data) | st.just(TEXT)


def reader_of(dialect: Dialect) -> StreamReader:
    return WIRES[dialect].stream_reader(7, strip_usage=dialect is CHAT)


def seen_by(reader: StreamReader) -> tuple[object, ...]:
    return reader.is_complete, reader.error, reader.stop_reason, reader.usage, reader.streamed


@pytest.mark.parametrize("dialect", [MESSAGES, CHAT])
@settings(max_examples=500)
@given(st.lists(PLAIN | ODD | ODD.map(lambda odd: odd[:-1]), max_size=12).map(b"".join))
def test_a_stream_in_one_piece_is_read_as_byte_by_byte(dialect: Dialect, stream: bytes) -> None:
    at_once, slowly = reader_of(dialect), reader_of(dialect)
    handed_on = at_once.feed(stream)
    assert handed_on == b"".join(slowly.feed(stream[at : at + 1]) for at in range(len(stream)))
    assert seen_by(at_once) == seen_by(slowly)


@settings(max_examples=1000)
@given(
    st.sampled_from([b"", b"data: ", b"event: ping\n", TEXT[:-1], TEXT]),
    st.integers(0, len(TEXT)),
    st.integers(0, 3),
    st.binary(max_size=4) | st.text(max_size=2).map(str.encode) | st.sampled_from([b" ", b'"', b"\\", b"\n\n", b"\r"]),
)
def test_an_event_of_text_is_read_as_byte_by_byte_whatever_is_changed_in_it(
    before: bytes, at: int, removed: int, put: bytes
) -> None:
    changed = TEXT[:at] + put + TEXT[at + removed :]
    at_once, slowly = reader_of(MESSAGES), reader_of(MESSAGES)
    handed_on = at_once.feed(before) + at_once.feed(changed)
    assert handed_on == b"".join(slowly.feed(bytes((byte,))) for byte in before + changed)
    assert seen_by(at_once) == seen_by(slowly)


@pytest.mark.parametrize(
    ("dialect", "stream"),
    [
        (MESSAGES, b'data: {"type":"message_stop"}\ndata:[DONE]\n\n'),
        (CHAT, b"event: x\ndata: [DONE]\ndata:1\n\n"),
        (MESSAGES, b'data: {"type":"content_block_delta"}\ndata: {"type":"message_stop"}\n\n\n\n'),
        (MESSAGES, b'data: {"type":"content_block_delta"}\ndata: {"type":"message_stop"}\n\n: ping\n\n'),
        (MESSAGES, b'data: {"x":[{}\n\ndata: {}]},{"type":"message_stop"}\n\n'),
        (CHAT, b'data: {"x":[{}\n\ndata: {}]},{}\n\ndata: [DONE]\n\n'),
    ],
)
def test_an_event_that_is_no_json_is_malformed_whatever_would_make_up_for_it(dialect: Dialect, stream: bytes) -> None:
    reader = reader_of(dialect)
    reader.feed(stream)
    assert reader.error == MALFORMED_EVENT


@pytest.mark.parametrize("dialect", FINAL)
def test_an_event_that_does_not_end_is_malformed_and_nothing_makes_its_stream_whole(dialect: Dialect) -> None:
    reader = reader_of(dialect)
    piece = b"data: " + b"x" * (1 << 20)
    assert b"".join(reader.feed(piece) for _ in range(MAX_EVENT // len(piece) + 1)) == b""
    assert reader.error == MALFORMED_EVENT
    assert reader.feed(b"\n\n" + FINAL[dialect]) == reader.feed(FINAL[dialect]) == b""
    assert not reader.is_complete


AT = TEXT.index(b"12345678")
BESIDE = st.sampled_from(
    [b"", b"", b"id: 7\n", b"data: {\n", b": c\n\n", b"\n", b"\r", b"\r\n\r\n", b"data: no\n", *DATA]
)


@settings(max_examples=500)
@given(st.lists(PLAIN | st.just(TEXT), min_size=6, max_size=12), st.integers(0, 5), BESIDE)
def test_many_events_at_once_are_read_as_byte_by_byte_whatever_is_put_between_them(
    events: list[bytes], at: int, put: bytes
) -> None:
    stream = b"".join([*events[:at], put, *events[at:]])
    at_once, slowly = reader_of(MESSAGES), reader_of(MESSAGES)
    assert at_once.feed(stream) == b"".join(slowly.feed(bytes((byte,))) for byte in stream)
    assert seen_by(at_once) == seen_by(slowly)


@pytest.mark.parametrize("before", [b"", TEXT * 5])
@pytest.mark.parametrize(
    "put", [b"", b'"', b"\\", b"\\n", b"\\4", "é".encode(), b"\xff", b"\t", b"\x7f", b'","text":"']
)
def test_what_json_has_to_read_in_a_text_is_read_by_it(before: bytes, put: bytes) -> None:
    changed = before + TEXT[:AT] + put + TEXT[AT + 4 :]
    at_once, slowly = reader_of(MESSAGES), reader_of(MESSAGES)
    assert at_once.feed(changed) == b"".join(slowly.feed(bytes((byte,))) for byte in changed)
    assert seen_by(at_once) == seen_by(slowly)


def test_what_stands_before_events_of_text_is_not_put_together() -> None:
    stream = TEXT * 4 + b"x" + TEXT + b"data: x\n" + TEXT + b"event: x\ndata: {}\n\n"
    at_once, slowly = reader_of(MESSAGES), reader_of(MESSAGES)
    assert at_once.feed(stream) == b"".join(slowly.feed(bytes((byte,))) for byte in stream)
    assert seen_by(at_once) == seen_by(slowly)
