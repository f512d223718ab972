"""
What a link's messages are made of. Packed by hand: a protobuf message for each frame costs three times as much CPU.

    frames  = frame*                                            all numbers are little-endian
    frame   = call:u32  kind:u8  length:u32  body:length bytes
    body by kind
      CALL    time_left:u32 in ms, 0 for no deadline  head_length:u32  head  request, or its last piece
              head = path (NUL key NUL value)*, UTF-8
      CANCEL  nothing; the caller has left
      CREDIT  bytes:u32 that the caller's reader has taken of a stream's items
      PART    a piece of a message; the call's CALL, next ITEM or ANSWER has the last piece
      ITEM    a message of a stream
      ANSWER  the message of a unary call, and its end
      END     google.rpc.Status; nothing for a stream that ended well
      OPEN    a byte 1 from servers that take PARTs of requests, call 0; the server's first frame
      DRAIN   nothing, call 0; start no more calls on this link

A caller sends CALL, CANCEL, CREDIT and PART, the server all but the first three.
The caller numbers its calls and uses no number twice.
Frames of a call that has ended are late, not wrong, and so is a kind that is not known: both are passed over.
"""

from __future__ import annotations

import math
from functools import lru_cache
from struct import Struct
from struct import error as CutStruct  # noqa: N812  a class, whatever it is called
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tollway_servicekit.context import Metadata

CALL, CANCEL, CREDIT, PART, ITEM, ANSWER, END, OPEN, DRAIN = range(1, 10)

MAX_CALL_NUMBER = 2**32 - 1

_HEADER = Struct("<IBI")
_CALL = Struct("<II")
_CREDIT = Struct("<I")
_HEADER_BYTES, _CALL_BYTES = _HEADER.size, _CALL.size
_LONGEST_MS = 2**32 - 1

LONG_BYTES = 96 * 1024
"""A longer message goes without waiting for others to share its write, and is copied as rarely as can be."""
MOST_KEPT = 256
"""Heads that are kept as they were made; one with a trace is new with each call."""


class BrokenFrames(Exception):
    """A peer sent what is no frame."""


TAKES_PARTS = b"\x01"
"""The body of an OPEN."""


def frame(call: int, kind: int, body: bytes = b"") -> bytes:
    return _HEADER.pack(call, kind, len(body)) + body


def header(call: int, kind: int, length: int) -> bytes:
    """Return what goes before a body of such a length."""
    return _HEADER.pack(call, kind, length)


def call_frame(call: int, path: str, metadata: Metadata, timeout: float | None, request: bytes) -> bytes:
    """
    Make a CALL; a timeout is rounded up to a millisecond, so that it never becomes none.

    Raises:
        ValueError: Metadata that no frame can hold.
    """
    opening = call_opening(path, metadata, timeout)
    return _HEADER.pack(call, CALL, len(opening) + len(request)) + opening + request


def call_opening(path: str, metadata: Metadata, timeout: float | None) -> bytes:
    """Return what goes before a request in its CALL, behind the header."""
    return (_kept_opening if len(metadata) < 2 else _opening)(path, metadata, timeout)


def _opening(path: str, metadata: Metadata, timeout: float | None) -> bytes:
    """Return what goes before a request."""
    for key, value in metadata:
        path = f"{path}\0{key}\0{value}"
    head = path.encode()
    if head.count(0) != 2 * len(metadata):
        raise ValueError("metadata holds a NUL, which would end it")
    left = 0 if timeout is None else min(_LONGEST_MS, max(1, math.ceil(timeout * 1000)))
    return _CALL.pack(left, len(head)) + head


_kept_opening = lru_cache(MOST_KEPT)(_opening)


def credit_frame(call: int, count: int) -> bytes:
    return frame(call, CREDIT, _CREDIT.pack(count))


def read_frames(data: bytes, position: int = 0, end: int | None = None) -> Iterator[tuple[int, int, bytes]]:
    """
    Yield number of the call, kind and body of each frame of `data[position:end]`; a long one is left where it lies.

    Raises:
        BrokenFrames: One is cut.
    """
    unpack = _HEADER.unpack_from
    if end is None:
        end = len(data)
    while position < end:
        start = position + _HEADER_BYTES
        if start > end:
            raise BrokenFrames("a frame's header is cut")
        call, kind, length = unpack(data, position)
        position = start + length
        if position > end:
            raise BrokenFrames("a frame is longer than its message")
        # it is bytes to who reads it, and not copied before it is put together with others, or parsed
        is_left = kind == PART or length > LONG_BYTES
        yield call, kind, cast("bytes", memoryview(data)[start:position]) if is_left else data[start:position]


def read_call(body: bytes) -> tuple[bytes, float | None, bytes]:
    """Return a CALL's head for `read_head`, the seconds that it has left, and its request."""
    try:
        left, length = _CALL.unpack_from(body)
    except CutStruct as error:
        raise BrokenFrames("a call's frame is cut") from error
    start = _CALL_BYTES + length
    if start > len(body):
        raise BrokenFrames("a call's head is longer than its frame")
    return bytes(body[_CALL_BYTES:start]), left / 1000 if left else None, body[start:]


def read_head(head: bytes) -> tuple[str, list[tuple[str, str]]]:
    """Return path and metadata."""
    try:
        path, *texts = head.decode().split("\0")
        return path, list(zip(texts[::2], texts[1::2], strict=True))
    except ValueError as error:
        raise BrokenFrames("a call's head is unreadable") from error


def read_credit(body: bytes) -> int:
    if len(body) != _CREDIT.size:
        raise BrokenFrames("a credit has no number")
    return int(_CREDIT.unpack(body)[0])
