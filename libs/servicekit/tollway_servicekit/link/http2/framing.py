"""Finds frames in what a connection reads; the base of `connection`."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from tollway_servicekit.link.http2.wire import DATA, FRAME_HEADER, PADDED, Http2Code, Http2Error

if TYPE_CHECKING:
    from tollway_servicekit.link.http2.keepalive import Keepalive

MOST_FRAME_BYTES = 768 * 1024
"""A message of a link is one frame, but where a long one follows what a writer gathered already."""


class FrameProtocol(asyncio.Protocol, ABC):
    """Keeps what is not a whole frame yet, but for data, which is handed on as it comes, where it lies."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._needed = 0
        self._missing = 0
        """What is still to come of a frame with data, whose flags and stream are these."""
        self._flags = self._stream = 0
        self._is_over = False
        self._keepalive: Keepalive

    @abstractmethod
    def _take_data(self, data: bytes, start: int, stop: int, flags: int, stream: int) -> None: ...

    @abstractmethod
    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None: ...

    @abstractmethod
    def _break(self, error: Http2Error) -> None: ...

    def data_received(self, data: bytes) -> None:
        self._keepalive.is_heard = True
        try:
            position = self._complete(data) if self._rest else 0
            if self._rest:
                return
            if self._missing and not self._is_over:
                position = self._take_some_data(data, position)
            position = self._read_frames(data, position)
        except Http2Error as error:
            self._break(error)
            return
        if position < len(data) and not self._is_over:
            self._rest += memoryview(data)[position:]

    def _complete(self, data: bytes) -> int:
        """Add to the frame that is under way; return where the next one begins."""
        position = 0
        while self._rest and position < len(data) and not self._is_over:
            taken = min(self._needed - len(self._rest), len(data) - position)
            self._rest += memoryview(data)[position : position + taken]
            position += taken
            if len(self._rest) == self._needed:
                rest, self._rest = bytes(self._rest), bytearray()
                if self._read_frames(rest, 0) == 0:  # it was a header alone
                    self._rest += rest
        return position

    def _take_some_data(self, data: bytes, start: int) -> int:
        """Hand on what is here of a frame that is not whole; return where the next one begins."""
        stop = min(len(data), start + self._missing)
        self._missing -= stop - start
        if start < stop:
            self._take_data(data, start, stop, 0 if self._missing else self._flags, self._stream)
        return stop

    def _read_frames(self, data: bytes, position: int) -> int:
        """Take all whole frames; return where the first that is not whole begins."""
        end = len(data)
        self._needed = FRAME_HEADER.size
        while end - position >= FRAME_HEADER.size and not self._is_over:
            high, low, kind, flags, stream = FRAME_HEADER.unpack_from(data, position)
            start = position + FRAME_HEADER.size
            stop = start + (high << 16 | low)
            if stop - start > MOST_FRAME_BYTES:
                raise Http2Error(Http2Code.FRAME_SIZE_ERROR, "a frame is too long")
            if stop > end and kind == DATA and not flags & PADDED:
                self._missing, self._flags, self._stream = stop - start, flags, stream & 0x7FFFFFFF
                return self._take_some_data(data, start)
            if stop > end:
                self._needed = stop - position
                break
            if kind == DATA:
                self._take_data(data, start, stop, flags, stream & 0x7FFFFFFF)
            else:
                self._take(kind, flags, stream & 0x7FFFFFFF, data[start:stop])
            position = stop
        return position
