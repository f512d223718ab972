"""Whatever comes over a connection of links: it is read or refused, and little is kept."""

from __future__ import annotations

import asyncio
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st
from tollway_servicekit.link.http2.callee import ServingConnection
from tollway_servicekit.link.http2.caller import CallingConnection
from tollway_servicekit.link.http2.headers import request_frame, response_frame
from tollway_servicekit.link.http2.wire import DATA, PREFACE, STREAM, settings_frame, whole_frame

from .conftest import End, message

FRAMES = st.builds(
    whole_frame, st.integers(0, 12), st.integers(0, 255), st.sampled_from([0, 1, 1, 1, 2, 3, 2**31 - 1]), st.binary()
)
PIECES = st.lists(st.one_of(st.binary(), FRAMES, FRAMES, FRAMES), max_size=30)


@settings(max_examples=300, deadline=None)
@given(pieces=PIECES, is_server=st.booleans(), has_begun=st.booleans(), cuts=st.integers(1, 50))
def test_any_bytes_are_read_or_refused(pieces: list[bytes], is_server: bool, has_begun: bool, cuts: int) -> None:
    asyncio.run(_feed(pieces, is_server, has_begun, cuts))


async def _feed(pieces: list[bytes], is_server: bool, has_begun: bool, size: int) -> None:
    if is_server:
        end = End(lambda link: ServingConnection(lambda _: link))
        begin = settings_frame({}) + request_frame("cache", "http")
        end.take(PREFACE)
    else:
        end = End(lambda link: CallingConnection(link, "cache", "http"))
        begin = settings_frame({}) + response_frame()
    data = (begin if has_begun else b"") + b"".join(pieces)
    for at in range(0, len(data), size):
        if end.wire.is_closed:
            break
        end.take(data[at : at + size])
    end.connection.connection_lost(None)
    ends = [event for event in end.link.events if isinstance(event, tuple)]
    assert len(ends) == 1 or (is_server and end.connection.link is None)


async def test_bytes_one_by_one_keep_no_more_than_a_frame(server: End) -> None:
    server.take(message(bytes(200_000))[:20])
    tracemalloc.start()
    for _ in range(199_000):
        server.connection.data_received(b"\0")
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 400_000
    assert server.link.messages == []


async def test_bytes_in_frames_of_their_own_keep_no_more_than_a_message(server: End) -> None:
    server.take(message(bytes(200_000))[:20])
    server.take(bytes(200_000 - 11))
    server.take(whole_frame(DATA, 0, STREAM, (2_000_000).to_bytes(5, "big")))
    crumb = whole_frame(0xEE, 0, 0, bytes(100_000)) + whole_frame(DATA, 0, STREAM, b"x")
    tracemalloc.start()
    for _ in range(1000):
        server.connection.data_received(bytes(crumb))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 400_000
