"""What is around a link's frames in DATA: gRPC's five bytes, and a protobuf message with one bytes field."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError
from tollway.link.v1 import link_pb2

from tollway_servicekit.channel import MAX_MESSAGE_BYTES
from tollway_servicekit.link.http2.wire import Http2Code, Http2Error
from tollway_servicekit.link.pieces import Pieces

if TYPE_CHECKING:
    from collections.abc import Callable

_PREFIX = Struct(">BI")
_FRAMES_TAG = 0x0A
"""Field 1, length-delimited: `frames` of CarryRequest and CarryResponse."""


def envelope(length: int) -> bytes:
    """Return what goes before so many bytes of frames."""
    tagged = bytearray((_FRAMES_TAG,))
    left = length
    while left > 0x7F:
        tagged.append(left & 0x7F | 0x80)
        left >>= 7
    tagged.append(left)
    return _PREFIX.pack(0, len(tagged) + length) + tagged


class MessageReader:
    """
    Finds messages in a stream's bytes, however they are cut.

    Args:
        deliver: Called with bytes, and where in them a message's frames begin and end.
    """

    def __init__(self, deliver: Callable[[bytes, int, int], None]) -> None:
        self._deliver = deliver
        self._prefix = bytearray()
        """What has come of the prefix of the next message."""
        self._pieces = Pieces()
        """What has come of the message under way, without its prefix."""
        self._missing = 0

    def take(self, data: bytes, position: int, stop: int) -> None:
        if self._missing or self._prefix:
            position = self._complete(data, position, stop)
        while stop - position >= _PREFIX.size:
            size = _message_size(data, position)
            position += _PREFIX.size
            if position + size > stop:
                self._missing = size
                self._add(data, position, stop)
                return
            self._open(data, position, position + size)
            position += size
        self._prefix += memoryview(data)[position:stop]

    def _complete(self, data: bytes, position: int, stop: int) -> int:
        """Add to the message that is under way; return where the next one begins."""
        if not self._missing:
            begun = position
            position = min(stop, begun + _PREFIX.size - len(self._prefix))
            self._prefix += memoryview(data)[begun:position]
            if len(self._prefix) < _PREFIX.size:
                return position
            self._missing = _message_size(self._prefix, 0)
            self._prefix.clear()
        end = min(stop, position + self._missing)
        self._add(data, position, end)
        if not self._missing:
            message, self._pieces = self._pieces.join(), Pieces()
            self._open(message, 0, len(message))
        return end

    def _add(self, data: bytes, start: int, stop: int) -> None:
        self._missing -= stop - start
        if start < stop:
            self._pieces.add(memoryview(data)[start:stop])

    def _open(self, data: bytes, start: int, end: int) -> None:
        """Deliver the field in place where it is all of the message, which it is unless somebody adds another one."""
        at = start + 1
        if start < end and data[start] == _FRAMES_TAG:
            length = shift = 0
            while at < end and shift < 35:
                byte = data[at]
                at += 1
                length |= (byte & 0x7F) << shift
                if byte < 0x80:
                    if at + length == end:
                        self._deliver(data, at, end)
                        return
                    break
                shift += 7
        try:
            frames = link_pb2.CarryRequest.FromString(data[start:end]).frames
        except DecodeError as error:
            raise Http2Error(Http2Code.PROTOCOL_ERROR, "a message is no CarryRequest or CarryResponse") from error
        self._deliver(frames, 0, len(frames))


def _message_size(data: bytes | bytearray, at: int) -> int:
    """Return how long the message is whose prefix stands there."""
    is_compressed, length = _PREFIX.unpack_from(data, at)
    if is_compressed or length > MAX_MESSAGE_BYTES:
        raise Http2Error(Http2Code.PROTOCOL_ERROR, "a message is compressed, or longer than any may be")
    return int(length)
