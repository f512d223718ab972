"""How long, how many, how much: what a caller of `HttpClient` may set, and what is fixed."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; `inf` sets no limit."""

    connect: float = 5.0
    """Until a connection stands or becomes free: name look-up, proxy and TLS included."""
    first_byte: float = 120.0
    """From the request's last byte to the answer's first."""
    stall: float = 120.0
    """Between two reads of an answer, or while nothing of a request's body is taken; a slow reader does not count."""
    total: float = inf
    """From the request's first byte to the answer's last."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Connections to one origin, and what is kept of an answer."""

    max_connections: int = 1024
    """Further requests wait in line until one is free."""
    max_idle: int = 256
    """Connections that are kept although nobody uses them."""
    idle_seconds: float = 50.0
    """How long they are kept; servers commonly close after 60."""
    trusted_seconds: float = 1.0
    """After resting for longer a connection's socket is looked at before it is used."""
    max_body: int = 64 * 1024 * 1024
    """Bytes of a body that `Response.read` collects; `pieces` keeps none, and has no such limit."""


MAX_HEAD = 64 * 1024
"""Bytes of an answer that may come without one of its body: status line, headers, chunk sizes, trailers."""
MAX_HEADERS = 256
"""Header lines of an answer."""
READ_BYTES = 8 * 1024
"""The most that is read at once: what one answer may take of the loop's turn, and the largest piece of it as a rule."""
HIGH_WATER = READ_BYTES // 2
"""With more bytes than these waiting for a slow reader the socket is no longer read: after one full read."""
JOINED = 64 * 1024
"""A body up to this many bytes leaves in one write with its head."""
SLICE = 512 * 1024
"""A larger one leaves in writes of so many bytes, each after the last was taken."""
