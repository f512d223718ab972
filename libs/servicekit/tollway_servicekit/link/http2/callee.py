"""The server's end: takes the one stream that a connection may begin. Made by `serve` for each connection of a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_servicekit.link.http2.connection import SETTINGS_OF_BOTH, WIDEN_CONNECTION, Connection
from tollway_servicekit.link.http2.headers import CARRY, UNIMPLEMENTED, response_frame, trailers_frame
from tollway_servicekit.link.http2.wire import (
    MAX_CONCURRENT_STREAMS,
    MAX_HEADER_LIST_SIZE,
    PREFACE,
    STREAM,
    Http2Code,
    Http2Error,
    goaway_frame,
    reset_frame,
    settings_frame,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_servicekit.link.carry import CarryReader, Piece
    from tollway_servicekit.link.http2.headers import Block

_SETTINGS = settings_frame(SETTINGS_OF_BOTH | {MAX_CONCURRENT_STREAMS: 1, MAX_HEADER_LIST_SIZE: 16 * 1024})


class ServingConnection(Connection):
    """
    Expects the preface, which `port` has looked at.

    Args:
        accept: Called when the stream begins; returns the link.
    """

    def __init__(self, accept: Callable[[ServingConnection], CarryReader]) -> None:
        super().__init__()
        self._accept = accept
        self._has_answered = False
        self._has_preface = False

    def data_received(self, data: bytes) -> None:
        if not self._has_preface:  # the first call brings all of it
            self._has_preface = True
            data = data[len(PREFACE) :]
        super().data_received(data)

    def _begin(self) -> None:
        self._transport.write(_SETTINGS + WIDEN_CONNECTION)

    def _take_block(self, block: Block) -> None:
        if block.stream != STREAM:
            self._reply(reset_frame(block.stream, Http2Code.REFUSED_STREAM))
        elif self.link is not None:
            if self._is_half_closed or not block.is_end:
                raise Http2Error(Http2Code.PROTOCOL_ERROR, "headers came twice")
            self._is_half_closed = True
            self._settle_half_close()
        elif (path := block.headers.get(":path", "")) != CARRY:
            self._out.finish(trailers_frame(UNIMPLEMENTED, f"nobody serves {path} on a link", has_begun=False))
            self._has_sent_all()
        else:
            self._is_half_closed = block.is_end
            self._deliver_to(self._accept(self))
            self._settle_half_close()

    def write(self, frames: list[Piece], length: int) -> bool:
        if not self._has_answered and not self._is_over:
            self._has_answered = True
            self._transport.write(response_frame())
        return super().write(frames, length)

    def finish(self, code: int = 0, why: str = "") -> None:
        if self._is_over:
            return
        last = trailers_frame(code, why, has_begun=self._has_answered)
        if not self._is_half_closed:
            last += reset_frame(STREAM, Http2Code.NO_ERROR)
        self._out.finish(last)
        self._go_on()

    def _has_sent_all(self) -> None:
        if not self._is_over:
            self._transport.write(goaway_frame(Http2Code.NO_ERROR))
        self._close()
