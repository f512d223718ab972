"""A connection of links without a socket: what it writes is kept, what it is told is up to the test."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hpack import Decoder
from tollway_servicekit.link.http2.callee import ServingConnection
from tollway_servicekit.link.http2.caller import CallingConnection
from tollway_servicekit.link.http2.envelope import envelope
from tollway_servicekit.link.http2.headers import request_frame
from tollway_servicekit.link.http2.wire import (
    DATA,
    FRAME_HEADER,
    HEADERS,
    PREFACE,
    STREAM,
    settings_frame,
    whole_frame,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.stuck = 0
        """What is said to wait for a peer that does not read."""
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.stuck

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True

    def frames(self) -> list[tuple[int, int, int, bytes]]:
        """Return kind, flags, stream and payload of what was written since the last time."""
        data, self.written = bytes(self.written).removeprefix(PREFACE), bytearray()
        found, at = [], 0
        while at < len(data):
            high, low, kind, flags, stream = FRAME_HEADER.unpack_from(data, at)
            at += FRAME_HEADER.size
            found.append((kind, flags, stream, data[at : at + (high << 16 | low)]))
            at += high << 16 | low
        return found

    def kinds(self) -> list[int]:
        return [kind for kind, *_ in self.frames()]


class Link:
    """Keeps what its stream tells it."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.events: list[object] = []
        self.rooms = 0

    def took(self, data: bytes, start: int, stop: int) -> None:
        self.messages.append(data[start:stop])

    def has_room(self) -> None:
        self.rooms += 1

    def half_closed(self) -> None:
        self.events.append("half-closed")

    def going_away(self) -> None:
        self.events.append("going away")

    def ended(self, code: int, why: str) -> None:
        self.events.append((code, why))


class End:
    """One end of a connection, its transport and its link."""

    def __init__(self, make: Callable[[Link], Any]) -> None:
        self.link = Link()
        self.wire = Wire()
        self.connection = make(self.link)
        self.connection.connection_made(self.wire)

    def take(self, *frames: bytes) -> None:
        self.connection.data_received(b"".join(frames))

    def headers(self) -> dict[str, str]:
        """Return the last headers that were written."""
        (*_, (_, _, _, block)) = [frame for frame in self.wire.frames() if frame[0] == HEADERS]
        return dict(Decoder().decode(block))


def message(frames: bytes, flags: int = 0) -> bytes:
    """Return a DATA frame with one message."""
    return whole_frame(DATA, flags, STREAM, envelope(len(frames)) + frames)


@pytest.fixture
async def caller() -> AsyncIterator[End]:
    """The caller's end, which has begun its stream and had the peer's settings."""
    end = End(lambda link: CallingConnection(link, "cache", "http"))
    end.take(settings_frame({}))
    yield end
    end.connection.connection_lost(None)


@pytest.fixture
async def server() -> AsyncIterator[End]:
    """The server's end, whose stream has begun."""
    end = End(lambda link: ServingConnection(lambda _: link))
    end.take(PREFACE, settings_frame({}), request_frame("cache", "http"))
    yield end
    end.connection.connection_lost(None)


@pytest.fixture(params=["caller", "server"])
def either(request: pytest.FixtureRequest, caller: End, server: End) -> End:
    """One end and then the other."""
    return caller if request.param == "caller" else server
