"""Event streams, cut wherever a network may cut them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tollway_dialects.sse import MAX_EVENT, EventSplitter, event_data, format_event, is_object

Cut = Callable[[bytes, list[int]], list[bytes]]

# U+2028 and friends are text, a colon may stand anywhere, four bytes of UTF-8 may be cut in between
lines = st.text(st.sampled_from('abc {}":\u2028\u2029\u0085\x0b\x0c😀é'), max_size=8)
blocks = st.fixed_dictionaries(
    {
        "before": st.lists(st.sampled_from([": ping", ":", "event: message", "id: 7", "retry: 10"]), max_size=2),
        "data": st.lists(lines, max_size=3),
        "after": st.lists(st.sampled_from([": keep-alive", "id: 8"]), max_size=1),
        "space": st.booleans(),
    }
)
places = st.lists(st.integers(0, 10_000), max_size=12)


def written(block: dict, end: str) -> str:
    space = " " if block["space"] else ""
    # a space at the beginning belongs to the text only if another one stands before it
    data = [f"data:{space or (' ' if line.startswith(' ') else '')}{line}" for line in block["data"]]
    return "".join(line + end for line in [*block["before"], *data, *block["after"], ""])


@given(st.lists(blocks, max_size=5), st.sampled_from(["\n", "\r\n", "\r"]), places)
def test_a_stream_gives_the_same_events_wherever_it_is_cut(
    cut: Cut, written_blocks: list[dict], end: str, places: list[int]
) -> None:
    # a block without any line is a blank line more, and belongs to the next event
    kept = [block for block in written_blocks if block["before"] or block["data"] or block["after"]]
    events = [written(block, end).encode() for block in kept]
    splitter = EventSplitter()
    seen = [event for piece in cut(b"".join(events), places) for event in splitter.feed(piece)]
    assert seen == events
    assert [event_data(event).decode() for event in seen] == ["\n".join(block["data"]) for block in kept]


@given(places)
def test_mixed_line_ends_make_one_event_each(cut: Cut, places: list[int]) -> None:
    stream = b"data: a\n\r\ndata: b\r\n\ndata: c\n\ndata: d\r\n\r\ndata: e\n\r\n"
    splitter = EventSplitter()
    seen = [event for piece in cut(stream, places) for event in splitter.feed(piece)]
    assert [event_data(event) for event in seen] == [b"a", b"b", b"c", b"d", b"e"]
    assert b"".join(seen) == stream


def test_every_cut_of_one_byte_each_gives_the_same_events() -> None:
    stream = ': ping\r\n\r\nevent: x\r\ndata: {"text":"é\u2028😀"}\r\n\r\ndata: [DONE]\r\n\r\n'.encode()
    splitter = EventSplitter()
    seen = [event for at in range(len(stream)) for event in splitter.feed(stream[at : at + 1])]
    assert [event_data(event) for event in seen] == [b"", '{"text":"é\u2028😀"}'.encode(), b"[DONE]"]


def test_an_unfinished_event_waits() -> None:
    splitter = EventSplitter()
    assert splitter.feed(b"data: a\n\ndata: b\n") == [b"data: a\n\n"]
    assert splitter.feed(b"\n") == [b"data: b\n\n"]


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: a\n\n", b"a"),
        (b"data:a\n\n", b"a"),
        (b"data:  a\n\n", b" a"),
        (b"data: a\ndata: b\n\n", b"a\nb"),
        (b"data: a\rdata: b\r\r", b"a\nb"),
        (b"data: a\r\ndata:\r\ndata: b\r\n\r\n", b"a\n\nb"),
        (b"data: a\nevent: x\n\n", b"a"),
        (b": data: a\n\n", b""),
        (b"event: ping\n\n", b""),
        (b"database: a\n\n", b""),
        (b"\n", b""),
    ],
)
def test_data_lines_are_joined(event: bytes, data: bytes) -> None:
    assert event_data(event) == data


def test_what_is_formatted_is_read_again() -> None:
    assert format_event(b"{}", "ping") == b"event: ping\ndata: {}\n\n"
    assert format_event(b"[DONE]") == b"data: [DONE]\n\n"
    assert EventSplitter().feed(format_event(b"{}", "ping")) == [b"event: ping\ndata: {}\n\n"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"text": "\\ud83d"}', True),  # half of a pair: JSON all the same
        (b'{"a": [1, {}]}', True),
        (b"[1]", False),
        (b"{", False),
        (b'{"a": "\xff"}', False),
        (b"[" * 100_000, False),
    ],
)
def test_only_a_json_object_is_one(data: bytes, expected: bool) -> None:
    assert is_object(data) is expected


def test_a_long_event_in_many_pieces_is_searched_once() -> None:
    # a search from the start with each piece would look at 8 GB here, and take minutes
    splitter = EventSplitter()
    piece = b"x" * 2048
    assert [event for _ in range(4096) for event in splitter.feed(piece)] == []
    assert len(splitter.feed(b"\n\n")[0]) == 4096 * 2048 + 2


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"event: a\ndata: 1\n\nevent: b\ndata: 2\n\n", [b"1", b"2"]),
        (b"data: 1\n\n", [b"1"]),
        (b"id: 7\ndata: 1\n\n: a comment\nevent: b\ndata: 2\n\n", [b"1", b"2"]),
        (b"data: 1\n\nda", []),
        (b"data: 1\ndata: 2\n\n", []),
        (b": a comment\n\ndata: 1\n\n", []),
        (b"data: 1\r\n\r\n", []),
        (b"data:1\n\n", []),
        (b"data: \n\n", []),
        (b"\ndata: 1\n\n", []),
        (b"data: 1\n\n\n", []),
        (b"data: 1\nid: 7\n\n", []),
        (b"data: 1\ndata:2\n\n", []),
        (b"data:1\ndata: 2\n\n", []),
        (b"data\ndata: 2\n\n", []),
        (b"event: x\ndata: 1\ndata:2\n\n", []),
        (b"data: 1\ndata: 2\n\n\n\n", []),
        (b"data: 1\ndata: 2\n\n: a comment\n\n", []),
        (b": a comment\n\ndata: 1\ndata: 2\n\n", []),
        (b"data: 1\n\nevent: x\n\n", []),
        (b"", []),
    ],
)
def test_plain_data_is_found_only_where_nothing_else_is(data: bytes, found: list[bytes]) -> None:
    assert EventSplitter().plain_data(data) == found


mixed_lines = st.sampled_from(
    [b"data: {}", b"data: 1", b"data:1", b"data: ", b"data", b": ping", b"event: x", b"event: data: 1", b"id: 7\r"]
)
mixed_events = st.lists(mixed_lines, max_size=3).map(lambda lines: b"\n".join([*lines, b"", b""]))


@settings(max_examples=500)
@given(st.lists(mixed_events, min_size=1, max_size=3).map(b"".join))
def test_plain_data_is_what_the_same_bytes_give_event_by_event(stream: bytes) -> None:
    splitter = EventSplitter()
    if plain := splitter.plain_data(stream):
        assert plain == [event_data(event) for event in splitter.feed(stream)]
        assert splitter.feed(b"\n\n") == [b"\n\n"], "something waited"


def test_no_data_is_plain_while_half_an_event_waits() -> None:
    splitter = EventSplitter()
    splitter.feed(b"data: 1")
    assert splitter.plain_data(b"\n\n") == splitter.plain_data(b"data: 2\n\n") == []
    splitter.feed(b"\n\n")
    assert splitter.plain_data(b"data: 2\n\n") == [b"2"]


@settings(max_examples=500)
@given(st.lists(mixed_events, min_size=1, max_size=4).map(b"".join), st.integers(0, 40))
def test_cuts_give_the_same_events(stream: bytes, at: int) -> None:
    whole, cut = EventSplitter(), EventSplitter()
    events = whole.feed(stream)
    parts = [stream[:at], stream[at:]]
    assert [event for data in parts for part in cut.cuts(data) for event in cut.feed(part)] == events


def test_a_read_that_ends_within_an_event_leaves_the_whole_ones_plain() -> None:
    splitter = EventSplitter()
    assert splitter.cuts(b"data: 1\n\ndata: 2") == [b"data: 1\n\n", b"data: 2"]
    splitter.feed(b"data: 2")
    first, *rest = splitter.cuts(b"2\n\ndata: 3\n\ndata: 4\n\nda")
    assert splitter.feed(first) == [b"data: 22\n\n"]
    assert rest == [b"data: 3\n\ndata: 4\n\n", b"da"]
    assert splitter.plain_data(rest[0]) == [b"3", b"4"]


@pytest.mark.parametrize("size", [1 << 16, MAX_EVENT + 1])
def test_an_event_that_does_not_end_is_given_up_and_nothing_after_it_is_read(size: int) -> None:
    splitter = EventSplitter()
    assert splitter.feed(b"data: 1\n\n") == [b"data: 1\n\n"]
    piece = b"x" * size
    for _ in range(MAX_EVENT // size + 1):
        assert not splitter.is_too_long
        assert splitter.feed(piece) == []
    assert splitter.is_too_long
    assert splitter._waiting == []
    assert splitter.feed(b"\n\ndata: 2\n\n") == splitter.plain_data(b"data: 2\n\n") == []


def test_an_event_of_the_largest_size_is_whole() -> None:
    splitter = EventSplitter()
    half = b"x" * (MAX_EVENT // 2)
    assert splitter.feed(half) == splitter.feed(half) == []
    assert [len(event) for event in splitter.feed(b"\n\n")] == [MAX_EVENT + 2]
