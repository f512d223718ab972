"""What a connection of links does with each kind of frame, and with those that are wrong."""

from __future__ import annotations

from typing import Any

import pytest
from tollway_servicekit.link.http2.connection import MOST_REPLIES_BYTES
from tollway_servicekit.link.http2.incoming import WINDOW_BYTES
from tollway_servicekit.link.http2.wire import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    MAX_FRAME_SIZE,
    PADDED,
    PING,
    PUSH_PROMISE,
    SETTINGS,
    STREAM,
    WINDOW_UPDATE,
    settings_frame,
    whole_frame,
    window_updates,
)

from .conftest import End, message


def opened(count: int, stream: int) -> bytes:
    return whole_frame(WINDOW_UPDATE, 0, stream, count.to_bytes(4, "big"))


async def test_settings_are_acknowledged(caller: End) -> None:
    caller.wire.frames()
    caller.take(settings_frame({0x9999: 7}))
    assert caller.wire.frames() == [(SETTINGS, ACK, 0, b"")]


async def test_a_ping_is_answered_with_its_own_bytes_and_an_answer_is_not(server: End) -> None:
    server.wire.frames()
    server.take(whole_frame(PING, 0, 0, b"12345678"), whole_frame(PING, ACK, 0, b"12345678"))
    assert server.wire.frames() == [(PING, ACK, 0, b"12345678")]


async def test_messages_arrive_however_they_are_cut(server: End) -> None:
    sent = [b"", b"a", b"b" * 127, b"c" * 128, b"d" * 20_000]
    data = b"".join(message(each) for each in sent)
    for size in (1, 7, 1000, len(data)):
        server.link.messages.clear()
        for at in range(0, len(data), size):
            server.take(data[at : at + size])
        assert server.link.messages == sent


async def test_a_message_may_span_frames_and_a_frame_many_messages(server: End) -> None:
    data = b"".join(message(bytes([each]) * 300)[9:] for each in range(20))
    for size in (1, 10, 1000, len(data)):
        server.link.messages.clear()
        server.take(*(whole_frame(DATA, 0, STREAM, data[at : at + size]) for at in range(0, len(data), size)))
        assert server.link.messages == [bytes([each]) * 300 for each in range(20)]


async def test_the_end_of_a_stream_counts_once_its_frame_is_whole(server: End) -> None:
    data = message(b"last", END_STREAM)
    for at in range(len(data)):
        assert server.link.events == []
        server.take(data[at : at + 1])
    assert (server.link.messages, server.link.events) == ([b"last"], ["half-closed"])


async def test_a_message_is_delivered_before_the_frame_that_goes_on_with_the_next_one(server: End) -> None:
    frame = whole_frame(DATA, 0, STREAM, message(b"first")[9:] + message(b"second")[9:])
    server.take(frame[:-1])
    assert server.link.messages == [b"first"]
    server.take(frame[-1:])
    assert server.link.messages == [b"first", b"second"]


async def test_a_padded_frame_may_be_cut_anywhere(server: End) -> None:
    padded = whole_frame(DATA, PADDED, STREAM, bytes([5]) + message(b"x" * 50)[9:] + bytes(5))
    for size in range(1, len(padded)):
        for at in range(0, len(padded), size):
            server.take(padded[at : at + size])
    assert server.link.messages == [b"x" * 50] * (len(padded) - 1)


async def test_what_comes_after_the_end_is_not_delivered_even_of_a_frame_under_way(server: End) -> None:
    data = message(b"late")
    server.take(data[:-1])
    server.connection.cancel()
    server.take(data[-1:])
    assert server.link.messages == []


async def test_padding_unknown_frames_and_priority_are_passed_over(server: End) -> None:
    padded = bytes([5]) + message(b"x")[9:] + bytes(5)
    server.take(whole_frame(0x2, 0, STREAM, bytes(5)), whole_frame(0xEE, 0xFF, 77, b"news"))
    server.take(whole_frame(DATA, PADDED, STREAM, padded))
    assert (server.link.messages, server.link.events) == ([b"x"], [])


async def test_fields_of_a_message_that_are_not_known_are_passed_over(server: End) -> None:
    body = b"\x12\x03new" + b"\x0a\x05known"
    server.take(whole_frame(DATA, 0, STREAM, b"\0" + len(body).to_bytes(4, "big") + body))
    assert server.link.messages == [b"known"]


async def test_what_the_windows_do_not_let_through_waits_and_leaves_in_order(caller: End) -> None:
    caller.wire.frames()
    text = bytes(range(256)) * 1000
    assert not caller.connection.write([text], len(text))
    first = caller.wire.frames()
    assert sum(len(payload) for *_, payload in first) == 65_535
    assert max(len(payload) for *_, payload in first) == 16_384
    caller.take(settings_frame({INITIAL_WINDOW_SIZE: 10**6}))
    assert DATA not in caller.wire.kinds(), "the connection's window is closed"
    caller.take(opened(10**6, 0))
    sent = b"".join(payload for kind, _, _, payload in first + caller.wire.frames() if kind == DATA)
    assert sent.endswith(text)
    assert caller.link.rooms == 1
    assert caller.connection.write([b"x"], 1)


async def test_a_smaller_window_in_settings_may_close_it_below_nothing(caller: End) -> None:
    caller.connection.write([bytes(60_000)], 60_000)
    caller.take(settings_frame({INITIAL_WINDOW_SIZE: 1000}))
    caller.wire.frames()
    caller.connection.write([b"x"], 1)
    caller.take(window_updates(50_000))
    assert caller.wire.frames() == []
    caller.take(window_updates(50_000))
    assert caller.wire.kinds() == [DATA]


async def test_larger_frames_are_written_where_the_peer_takes_them(caller: End) -> None:
    caller.take(settings_frame({MAX_FRAME_SIZE: 2**20, INITIAL_WINDOW_SIZE: 2**20}), opened(2**20, 0))
    caller.wire.frames()
    assert caller.connection.write([bytes(100_000)], 100_000)
    assert caller.wire.kinds() == [DATA]


async def test_while_the_transport_is_full_nothing_more_is_written(caller: End) -> None:
    caller.connection.pause_writing()
    assert not caller.connection.write([b"x" * 20_000], 20_000)
    caller.wire.frames()
    caller.connection.resume_writing()
    assert (caller.wire.kinds(), caller.link.rooms) == ([DATA, DATA], 1)


async def test_the_window_is_opened_as_the_link_reads(server: End) -> None:
    server.wire.frames()
    count = WINDOW_BYTES // 2 // 30_000 + 1
    for _ in range(count):
        server.take(message(bytes(30_000)))
    (first, second) = server.wire.frames()
    assert (first[0], first[2], second[2]) == (WINDOW_UPDATE, 0, STREAM)
    assert int.from_bytes(first[3], "big") == count * (30_000 + 9)


async def test_a_link_that_is_held_reads_a_window_and_no_more(server: End) -> None:
    server.connection.hold()
    server.wire.frames()
    each = message(bytes(50_000))
    for _ in range(10):
        server.take(each)
    assert (server.link.messages, server.wire.frames()) == ([], [])
    server.connection.go_on()
    assert len(server.link.messages) == 10
    assert server.wire.kinds() == [WINDOW_UPDATE, WINDOW_UPDATE]


async def test_a_half_close_comes_after_what_was_held(server: End) -> None:
    server.connection.hold()
    server.take(message(b"last", END_STREAM))
    assert server.link.events == []
    server.connection.go_on()
    assert (server.link.messages, server.link.events) == ([b"last"], ["half-closed"])


async def test_a_peer_that_ignores_the_window_loses_its_connection(server: End) -> None:
    server.connection.hold()
    for _ in range(WINDOW_BYTES // 50_000 + 1):
        server.take(message(bytes(50_000)))
    assert server.wire.is_closed
    assert "window" in str(server.link.events)


async def test_a_peer_that_asks_and_never_reads_loses_its_connection(server: End) -> None:
    server.wire.stuck = MOST_REPLIES_BYTES + 1
    server.take(whole_frame(PING, 0, 0, bytes(8)))
    assert server.wire.is_closed


BROKEN = {
    "a frame that is too long": whole_frame(0xEE, 0, 0)[:0] + (2**20).to_bytes(3, "big") + bytes(6),
    "data for another stream": whole_frame(DATA, 0, 3, b"x"),
    "more padding than bytes": whole_frame(DATA, PADDED, STREAM, b"\x09x"),
    "a ping of nine bytes": whole_frame(PING, 0, 0, bytes(9)),
    "a setting that is cut": whole_frame(SETTINGS, 0, 0, bytes(5)),
    "settings of a stream": whole_frame(SETTINGS, 0, STREAM),
    "a window that is too wide": settings_frame({INITIAL_WINDOW_SIZE: 2**31}),
    "frames that are too small": settings_frame({MAX_FRAME_SIZE: 100}),
    "a window opened by nothing": opened(0, 0),
    "a window opened too wide": opened(2**31 - 1, 0),
    "a window without a number": whole_frame(WINDOW_UPDATE, 0, 0, b"xx"),
    "a push": whole_frame(PUSH_PROMISE, END_HEADERS, STREAM, bytes(8)),
    "a continuation of nothing": whole_frame(CONTINUATION, END_HEADERS, STREAM),
    "headers that are interrupted": whole_frame(HEADERS, 0, STREAM, b"\x88") + whole_frame(PING, 0, 0, bytes(8)),
    "headers that are no HPACK": whole_frame(HEADERS, END_HEADERS, STREAM, b"\xff\xff\xff\xff\xff\xff\xff"),
    "headers without end": whole_frame(HEADERS, 0, STREAM) + whole_frame(CONTINUATION, 0, STREAM, bytes(9000)) * 2,
    "a compressed message": whole_frame(DATA, 0, STREAM, b"\x01\0\0\0\x01x"),
    "a message without end": whole_frame(DATA, 0, STREAM, b"\0\xff\xff\xff\xff"),
    "a message that is no protobuf": whole_frame(DATA, 0, STREAM, b"\0\0\0\0\x02\xff\xff"),
}


@pytest.mark.parametrize("frames", BROKEN.values(), ids=BROKEN)
async def test_what_breaks_the_protocol_ends_the_connection_and_says_so(either: End, frames: bytes) -> None:
    either.wire.frames()
    either.take(frames)
    assert either.wire.is_closed
    assert either.wire.kinds()[-1] == GOAWAY
    ((_, why),) = either.link.events  # type: ignore[misc]
    assert "broke HTTP/2" in why
    either.take(message(b"late"))
    assert either.link.messages == []


async def test_the_first_frame_must_be_settings(server: Any) -> None:
    fresh = End(lambda link: type(server.connection)(lambda _: link))
    fresh.take(bytes(24), whole_frame(PING, 0, 0, bytes(8)))
    assert fresh.wire.is_closed
    fresh.connection.connection_lost(None)
