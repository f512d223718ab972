"""Finds the key of a request, and what stands for it in the log; used by the providers and `app`."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tollway_simulator.entrypoints.connection.exchange import Exchange


def key_in(exchange: Exchange, header: bytes = b"x-api-key") -> bytes:
    """Return the key of a header of its own, else the bearer token; empty where there is neither."""
    key = exchange.headers.get(header, b"").strip()
    if not key:
        scheme, _, token = exchange.headers.get(b"authorization", b"").partition(b" ")
        key = token.strip() if scheme.lower() == b"bearer" else b""
    return key


@lru_cache(maxsize=1024)
def fingerprint_of(key: bytes) -> str:
    return sha256(key).hexdigest()[:8]
