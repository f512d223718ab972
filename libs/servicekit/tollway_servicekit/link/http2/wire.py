"""Frames of HTTP/2 (RFC 9113), as far as one stream needs them; used by everything in this folder and by `port`."""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
STREAM = 1
"""The one stream of a connection."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)

END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
HAS_PRIORITY = 0x20

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = (
    range(1, 7)
)
LINK_MARK = 0x746C
"""A setting of ours, of the range that nobody was assigned and everybody passes over: this connection is a link."""

DEFAULT_WINDOW = 65_535
DEFAULT_FRAME_BYTES = 16_384
LARGEST_FRAME_BYTES = 2**24 - 1
LARGEST_WINDOW = 2**31 - 1

FRAME_HEADER = Struct(">BHBBI")
_SETTING = Struct(">HI")
_NUMBER = Struct(">I")


class Http2Code(IntEnum):
    """Why a connection or a stream ended."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    FLOW_CONTROL_ERROR = 3
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    ENHANCE_YOUR_CALM = 11


class Http2Error(Exception):
    """The peer broke the protocol; the connection ends."""

    def __init__(self, code: Http2Code, message: str) -> None:
        super().__init__(message)
        self.code = code


def frame_header(length: int, kind: int, flags: int, stream: int) -> bytes:
    return FRAME_HEADER.pack(length >> 16, length & 0xFFFF, kind, flags, stream)


def whole_frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return frame_header(len(payload), kind, flags, stream) + payload


def settings_frame(settings: dict[int, int]) -> bytes:
    return whole_frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*each) for each in settings.items()))


def window_updates(count: int) -> bytes:
    """Return what gives the peer so many bytes more, for the connection and for the stream."""
    payload = _NUMBER.pack(count)
    return whole_frame(WINDOW_UPDATE, 0, 0, payload) + whole_frame(WINDOW_UPDATE, 0, STREAM, payload)


def reset_frame(stream: int, code: Http2Code) -> bytes:
    return whole_frame(RST_STREAM, 0, stream, _NUMBER.pack(code))


def goaway_frame(code: Http2Code, why: str = "") -> bytes:
    return whole_frame(GOAWAY, 0, 0, _NUMBER.pack(STREAM) + _NUMBER.pack(code) + why.encode()[:200])


def read_settings(payload: bytes) -> Iterator[tuple[int, int]]:
    if len(payload) % _SETTING.size:
        raise Http2Error(Http2Code.FRAME_SIZE_ERROR, "a setting is cut")
    yield from _SETTING.iter_unpack(payload)


def read_number(payload: bytes, at: int = 0) -> int:
    """Return the number of WINDOW_UPDATE, RST_STREAM or, the second one, GOAWAY."""
    if len(payload) < at + _NUMBER.size:
        raise Http2Error(Http2Code.FRAME_SIZE_ERROR, "a frame is too short for its number")
    return int(_NUMBER.unpack_from(payload, at)[0])


def unpadded(data: bytes, start: int, stop: int, flags: int) -> tuple[int, int]:
    """Return where the payload of DATA or HEADERS begins and ends without its padding."""
    if not flags & PADDED:
        return start, stop
    if start == stop or stop - data[start] < start + 1:
        raise Http2Error(Http2Code.PROTOCOL_ERROR, "a frame has more padding than bytes")
    return start + 1, stop - data[start]


def code_name(number: int) -> str:
    return Http2Code(number).name if number in Http2Code._value2member_map_ else f"code {number}"
