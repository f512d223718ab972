"""What the cache keeps; made by the servicer and by topologies in one process, kept by the stores."""

from __future__ import annotations

import msgspec


class Entry(msgspec.Struct, frozen=True, gc=False):
    """An answer as it was packed (`tollway_dialects.stored_answer`), whose it is, and how long it may be kept."""

    partition: str
    exact_key: bytes
    packed: bytes
    ttl_seconds: int
