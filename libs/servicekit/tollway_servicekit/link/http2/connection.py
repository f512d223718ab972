"""One connection with one `Carry` stream, as far as both ends are alike; `caller` and `callee` begin and end it."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import TYPE_CHECKING, cast

from tollway_servicekit.link.http2.framing import MOST_FRAME_BYTES, FrameProtocol
from tollway_servicekit.link.http2.headers import UNAVAILABLE, HeaderReader
from tollway_servicekit.link.http2.incoming import WINDOW_BYTES, Incoming
from tollway_servicekit.link.http2.keepalive import Keepalive
from tollway_servicekit.link.http2.outgoing import Outgoing
from tollway_servicekit.link.http2.wire import (
    ACK,
    CONTINUATION,
    DEFAULT_WINDOW,
    END_STREAM,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    MAX_FRAME_SIZE,
    PING,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    STREAM,
    WINDOW_UPDATE,
    Http2Code,
    Http2Error,
    code_name,
    goaway_frame,
    read_number,
    read_settings,
    reset_frame,
    whole_frame,
    window_updates,
)

if TYPE_CHECKING:
    from tollway_servicekit.link.carry import CarryReader, Piece
    from tollway_servicekit.link.http2.headers import Block

MOST_REPLIES_BYTES = 1024 * 1024
"""A peer that asks and asks, and does not read the answers, loses its connection with so much waiting for it."""
CLOSING_SECONDS = 1.0
"""What the last words get to leave before a connection is cut."""

SETTINGS_OF_BOTH = {INITIAL_WINDOW_SIZE: WINDOW_BYTES, MAX_FRAME_SIZE: MOST_FRAME_BYTES}
WIDEN_CONNECTION = whole_frame(WINDOW_UPDATE, 0, 0, (WINDOW_BYTES - DEFAULT_WINDOW).to_bytes(4, "big"))
"""What opens the connection's window to that of its stream."""


class Connection(FrameProtocol):
    """Hands what comes to the link, in the very call that brought the bytes."""

    link: CarryReader | None = None
    """None until the stream begins."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport
        self._out: Outgoing
        self._in: Incoming
        self._headers = HeaderReader()
        self._has_settings = self._has_ended = self._is_half_closed = self._owes_room = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._out = Outgoing(self._transport)
        self._keepalive = Keepalive(self._ping, self._lost)
        self._begin()

    @abstractmethod
    def _begin(self) -> None:
        """Send what comes first."""

    @abstractmethod
    def _take_block(self, block: Block) -> None:
        """Take headers of any stream."""

    def _deliver_to(self, link: CarryReader) -> None:
        self.link = link
        self._in = Incoming(link.took)

    def _take_data(self, data: bytes, start: int, stop: int, flags: int, stream: int) -> None:
        if stream != STREAM or self.link is None or self._is_half_closed or self._headers.stream:
            raise Http2Error(Http2Code.PROTOCOL_ERROR, "data came for no stream")
        if opened := self._in.take(data, start, stop, flags):
            self._reply(window_updates(opened))
        if flags & END_STREAM:
            self._is_half_closed = True
            self._settle_half_close()

    def _settle_half_close(self) -> None:
        if self._is_half_closed and self.link is not None and not self._in.is_held:
            self.link.half_closed()

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if self._headers.stream and kind != CONTINUATION:
            raise Http2Error(Http2Code.PROTOCOL_ERROR, "a header block was interrupted")
        if not self._has_settings and (kind != SETTINGS or flags & ACK):
            raise Http2Error(Http2Code.PROTOCOL_ERROR, "the first frame is not SETTINGS")
        if kind in (HEADERS, CONTINUATION):
            if block := self._headers.take(kind, flags, stream, payload):
                self._take_block(block)
        elif kind == SETTINGS:
            self._take_settings(flags, stream, payload)
        elif kind == WINDOW_UPDATE:
            self._out.widen(stream, read_number(payload) & 0x7FFFFFFF)
            self._go_on()
        elif kind == PING:
            if len(payload) != 8 or stream:
                raise Http2Error(Http2Code.FRAME_SIZE_ERROR, "a ping is not one of eight bytes")
            if not flags & ACK:
                self._reply(whole_frame(PING, ACK, 0, payload))
        elif kind == RST_STREAM and stream == STREAM:
            self._end(UNAVAILABLE, f"the peer reset the stream: {code_name(read_number(payload))}")
        elif kind == GOAWAY:
            self._take_goaway(payload)
        elif kind == PUSH_PROMISE:
            raise Http2Error(Http2Code.PROTOCOL_ERROR, "nothing may be pushed")

    def _take_settings(self, flags: int, stream: int, payload: bytes) -> None:
        if stream or (flags & ACK and payload):
            raise Http2Error(Http2Code.PROTOCOL_ERROR, "settings of a stream, or in an acknowledgement")
        if flags & ACK:
            return
        self._has_settings = True
        for name, value in read_settings(payload):
            self._out.take_setting(name, value)
        self._reply(whole_frame(SETTINGS, ACK, 0))
        self._go_on()

    def _take_goaway(self, payload: bytes) -> None:
        last, code = read_number(payload) & 0x7FFFFFFF, read_number(payload, 4)
        if last < STREAM or code:
            self._end(UNAVAILABLE, f"the peer went away: {code_name(code)}")
        elif self.link is not None:
            self.link.going_away()

    def _reply(self, data: bytes) -> None:
        if self._transport.get_write_buffer_size() > MOST_REPLIES_BYTES:
            raise Http2Error(Http2Code.ENHANCE_YOUR_CALM, "the peer asks and does not read")
        self._transport.write(data)

    def write(self, frames: list[Piece], length: int) -> bool:
        if self._is_over:
            return True
        self._owes_room = not self._out.write(frames, length)
        return not self._owes_room

    def hold(self) -> None:
        self._in.is_held = True

    def go_on(self) -> None:
        try:
            if self._in.is_held and not self._is_over and (opened := self._in.go_on()):
                self._reply(window_updates(opened))
        except Http2Error as error:
            self._break(error)
        self._settle_half_close()

    def pause_writing(self) -> None:
        self._out.is_paused = True

    def resume_writing(self) -> None:
        self._out.is_paused = False
        self._go_on()

    def _go_on(self) -> None:
        """Send what waits, and let the link write what it has gathered meanwhile."""
        if self._is_over:
            return
        self._out.go_on()
        if self._out.has_ended:
            self._has_sent_all()
        elif self._owes_room and self._out.is_free and self.link is not None:
            self._owes_room = False
            self.link.has_room()

    @abstractmethod
    def _has_sent_all(self) -> None:
        """All of this direction has left, its end too."""

    def cancel(self) -> None:
        if not self._is_over and self.link is not None:
            self._transport.write(reset_frame(STREAM, Http2Code.CANCEL))
        self._close()

    def connection_lost(self, exc: Exception | None) -> None:
        why = f"the connection broke: {exc}" if exc else "the peer closed the connection"
        self._is_over = True
        self._keepalive.stop()
        if not self.closed.done():
            self.closed.set_result(None)
        self._end(UNAVAILABLE, why)

    def _ping(self) -> None:
        self._transport.write(whole_frame(PING, 0, 0, bytes(8)))

    def _lost(self) -> None:
        self._transport.abort()
        self._end(UNAVAILABLE, "the peer does not answer pings")

    def _break(self, error: Http2Error) -> None:
        if not self._is_over:
            self._transport.write(goaway_frame(error.code, str(error)))
        self._end(UNAVAILABLE, f"the peer broke HTTP/2: {error}")

    def _end(self, code: int, why: str) -> None:
        """Tell the link, once, and close the connection."""
        self._close()
        if not self._has_ended and self.link is not None:
            self._has_ended = True
            self.link.ended(code, why)

    def _close(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._keepalive.stop()
        self._transport.close()
        cut = asyncio.get_running_loop().call_later(CLOSING_SECONDS, self._transport.abort)
        self.closed.add_done_callback(lambda _: cut.cancel())
