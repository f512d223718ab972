"""How a stream and its connection end, and what each end is told of it."""

from __future__ import annotations

import pytest
from hpack import Encoder
from tollway_servicekit.link.http2.headers import trailers_frame
from tollway_servicekit.link.http2.wire import (
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    RST_STREAM,
    STREAM,
    whole_frame,
    window_updates,
)

from .conftest import End, message


async def test_a_goaway_that_spares_the_stream_lets_it_go_on(caller: End) -> None:
    caller.take(whole_frame(GOAWAY, 0, 0, (1).to_bytes(4, "big") + bytes(4)), message(b"more"))
    assert (caller.link.events, caller.link.messages) == (["going away"], [b"more"])


@pytest.mark.parametrize(("last", "code"), [(0, 0), (1, 11)])
async def test_a_goaway_that_refuses_the_stream_or_is_an_error_ends_it(caller: End, last: int, code: int) -> None:
    caller.take(whole_frame(GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big") + b"calm"))
    assert [code for code, _ in caller.link.events] == [14]  # type: ignore[misc]


async def test_a_reset_ends_the_stream(server: End) -> None:
    server.take(whole_frame(RST_STREAM, 0, STREAM, (8).to_bytes(4, "big")))
    assert server.link.events == [(14, "the peer reset the stream: CANCEL")]
    assert server.wire.is_closed


async def test_a_second_stream_is_refused_and_the_first_lives(server: End) -> None:
    block = Encoder().encode([(":path", "/tollway.link.v1.LinkService/Carry")])
    server.wire.frames()
    server.take(whole_frame(HEADERS, END_HEADERS, 3, block), message(b"x"))
    assert server.wire.frames() == [(RST_STREAM, 0, 3, (7).to_bytes(4, "big"))]
    assert server.link.messages == [b"x"]


async def test_a_server_ends_its_stream_with_a_status(server: End) -> None:
    server.connection.write([b"x"], 1)
    server.wire.frames()
    server.connection.finish(3, "wörds % of the end")
    assert server.headers() == {"grpc-status": "3", "grpc-message": "w%C3%B6rds %25 of the end"}
    assert server.wire.is_closed


async def test_a_status_comes_after_all_that_was_written(server: End) -> None:
    server.connection.write([bytes(100_000)], 100_000)
    server.wire.frames()
    server.connection.finish()
    assert (server.wire.kinds(), server.wire.is_closed) == ([], False)
    server.take(window_updates(100_000))
    assert server.wire.kinds()[-3:] == [HEADERS, RST_STREAM, GOAWAY]
    assert server.wire.is_closed


async def test_a_caller_is_told_the_status(caller: End) -> None:
    caller.take(trailers_frame(12, "nobody: 100 %", has_begun=False))
    assert caller.link.events == [(12, "nobody: 100 %")]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({":status": "404"}, 12),
        ({":status": "503"}, 14),
        ({":status": "200", "content-type": "text/html"}, 14),
    ],
)
async def test_a_peer_that_speaks_no_grpc_is_no_peer(caller: End, headers: dict[str, str], code: int) -> None:
    flags = END_HEADERS | (END_STREAM if code == 12 else 0)
    caller.take(whole_frame(HEADERS, flags, STREAM, Encoder().encode(headers)))
    assert [each for each, _ in caller.link.events] == [code]  # type: ignore[misc]


async def test_a_connection_that_breaks_is_told_once(caller: End) -> None:
    caller.connection.connection_lost(ConnectionResetError("reset"))
    caller.connection.connection_lost(None)
    assert caller.link.events == [(14, "the connection broke: reset")]
