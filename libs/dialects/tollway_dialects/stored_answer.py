"""An answer as it is stored: packed by edge when it was bought, kept as those bytes, unpacked by the cache on a hit."""

from __future__ import annotations

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.usage import Usage


class StoredAnswer(msgspec.Struct, frozen=True, array_like=True, tag=2, gc=False):
    """
    A whole, successful answer as it was first given, with all that a later hit has to tell about it.

    Stores outlive a release and edge and cache are replaced one after the other, so a change of this shape, or of
    `Usage`, takes the next tag: values of another one are misses.
    """

    partition: str
    """The workspace whose answer it is; compared again on every hit."""
    exact_key: bytes
    """SHA-256 over everything that shaped it; compared again on every hit."""
    dialect: Dialect
    provider: str
    model: str
    tier: str
    usage: Usage
    cost_micro_usd: int
    body: bytes
    is_event_stream: bool = False
    """The body is the event stream as it was sent; else it is JSON."""


pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder(StoredAnswer).decode
"""Raises `msgspec.DecodeError`."""
