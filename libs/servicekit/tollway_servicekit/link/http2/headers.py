"""Header blocks of a `Carry` stream: how a call begins and what its end says; used by `caller` and `callee`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

from hpack import Decoder, Encoder, HPACKError

from tollway_servicekit.link.http2.wire import (
    CONTINUATION,
    END_HEADERS,
    END_STREAM,
    HAS_PRIORITY,
    HEADERS,
    STREAM,
    Http2Code,
    Http2Error,
    unpadded,
    whole_frame,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

CARRY = "/tollway.link.v1.LinkService/Carry"
MOST_HEADER_BYTES = 16 * 1024
"""Of a block, packed and unpacked."""
OK, UNKNOWN, INVALID_ARGUMENT, UNIMPLEMENTED, UNAVAILABLE = 0, 2, 3, 12, 14
"""Those of gRPC's status codes that a link's stream ends with."""
_PRINTABLE = " !\"#$&'()*+,/:;<=>?@[\\]^`{|}"


class Block(NamedTuple):
    """A header block that has come: whose it is, and whether the stream ends with it."""

    stream: int
    is_end: bool
    headers: Mapping[str, str]


class HeaderReader:
    """Puts HEADERS and CONTINUATION together and decodes them."""

    def __init__(self) -> None:
        self._decoder = Decoder(MOST_HEADER_BYTES)
        self._block = bytearray()
        self._flags = 0
        self.stream = 0
        """Whose block is under way; nothing but its CONTINUATION may come then."""

    def take(self, kind: int, flags: int, stream: int, payload: bytes) -> Block | None:
        """Take a frame of either kind; return the block that it completes."""
        if (kind == CONTINUATION) != bool(self.stream) or (self.stream and stream != self.stream) or not stream:
            raise Http2Error(Http2Code.PROTOCOL_ERROR, "header frames are out of order")
        if kind == HEADERS:
            start, stop = unpadded(payload, 0, len(payload), flags)
            payload = payload[start + (5 if flags & HAS_PRIORITY else 0) : stop]
            self._flags = flags
        elif not payload and not flags & END_HEADERS:
            raise Http2Error(Http2Code.ENHANCE_YOUR_CALM, "a header block goes on with nothing")
        self._block += payload
        if len(self._block) > MOST_HEADER_BYTES:
            raise Http2Error(Http2Code.ENHANCE_YOUR_CALM, "a header block is too large")
        self.stream = stream
        if not flags & END_HEADERS:
            return None
        self.stream = 0
        block, self._block = bytes(self._block), bytearray()
        return Block(stream, bool(self._flags & END_STREAM), self._decode(block))

    def _decode(self, block: bytes) -> dict[str, str]:
        try:
            found = self._decoder.decode(block, raw=True)
        except (HPACKError, ValueError, IndexError) as error:
            raise Http2Error(Http2Code.COMPRESSION_ERROR, "a header block cannot be decoded") from error
        return {_text(name): _text(value) for name, value, *_ in found}


def _text(data: bytes | str) -> str:
    return data.decode("latin-1") if isinstance(data, bytes) else data


def request_frame(authority: str, scheme: str) -> bytes:
    return _headers_frame(
        {
            ":method": "POST",
            ":scheme": scheme,
            ":path": CARRY,
            ":authority": authority,
            "te": "trailers",
            "content-type": "application/grpc",
            "user-agent": "tollway-link",
        }
    )


def response_frame() -> bytes:
    return _headers_frame({":status": "200", "content-type": "application/grpc"})


def trailers_frame(code: int, message: str, *, has_begun: bool) -> bytes:
    """Return what ends a stream, also one that has not begun to answer."""
    begin = {} if has_begun else {":status": "200", "content-type": "application/grpc"}
    status = {"grpc-status": str(code)} | ({"grpc-message": quote(message, safe=_PRINTABLE)} if message else {})
    return _headers_frame(begin | status, END_STREAM)


def _headers_frame(headers: dict[str, str], flags: int = 0) -> bytes:
    # an encoder for each block, which adds nothing to the peer's table: blocks are few, and so need no state
    block = Encoder().encode([(name, value, True) for name, value in headers.items()], huffman=False)
    return whole_frame(HEADERS, flags | END_HEADERS, STREAM, block)


def status_of(headers: Mapping[str, str]) -> tuple[int, str]:
    """Return gRPC's status and message of what ended a stream."""
    if (http := headers.get(":status", "200")) != "200":
        return UNIMPLEMENTED if http == "404" else UNAVAILABLE, f"the peer answered with HTTP status {http[:20]}"
    status = headers.get("grpc-status", "")
    code = int(status) if status.isdecimal() and len(status) < 4 else UNKNOWN
    return code, unquote(headers.get("grpc-message", ""))[:1000]
