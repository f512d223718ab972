"""Tells a link from any other connection by its first bytes; asked by `listener`."""

from __future__ import annotations

from tollway_servicekit.link.http2.wire import (
    FRAME_HEADER,
    LINK_MARK,
    PREFACE,
    SETTINGS,
    Http2Error,
    read_settings,
)

_MOST_BYTES = 512
"""Of the first SETTINGS; ours has a few."""


def is_link(data: bytes | bytearray) -> bool | None:
    """Say whether a connection that begins so is a link; None where more must come."""
    if not data.startswith(PREFACE):
        return None if PREFACE.startswith(data) else False
    start = len(PREFACE) + FRAME_HEADER.size
    if len(data) < start:
        return None
    high, length, kind, _, _ = FRAME_HEADER.unpack_from(data, len(PREFACE))
    if high or length > _MOST_BYTES or kind != SETTINGS:
        return False
    if len(data) < start + length:
        return None
    try:
        return any(name == LINK_MARK for name, _ in read_settings(bytes(data[start : start + length])))
    except Http2Error:
        return False
