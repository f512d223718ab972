"""What the cache keeps; made by the servicer and by topologies in one process, kept and found by the stores."""

from __future__ import annotations

import msgspec
from tollway_dialects.dialect import Dialect
from tollway_dialects.usage import Usage


class Answer(msgspec.Struct, frozen=True, array_like=True, tag=2, gc=False):
    """
    A whole, successful answer as it was first given, with all that a later hit has to tell about it.

    Stores that outlive a release keep it in this very shape: a change of it, or of `Usage`, takes the next tag, so that
    older values become misses.
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


class Entry(msgspec.Struct, frozen=True, gc=False):
    """An answer and how long it may be kept."""

    answer: Answer
    ttl_seconds: int
