"""Responses that were answered with `store`, so that they can be read, continued and deleted; the oldest go first."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

MAX_RESPONSES = 1000
MAX_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Stored:
    """One response, as it was answered, and what a later one needs to go on from it."""

    body: bytes
    items: list[dict[str, Any]]
    """The input that it answered."""
    text_bytes: int
    """Of the whole conversation up to and with its answer."""
    open_calls: tuple[str, ...]
    """Ids of its tool calls, whose outputs a next request has to bring."""


class ResponseStore:
    """Bounded by count and by bytes."""

    def __init__(self) -> None:
        self._stored: OrderedDict[str, Stored] = OrderedDict()
        self._bytes = 0

    def put(self, name: str, stored: Stored) -> None:
        self.delete(name)
        self._stored[name] = stored
        self._bytes += _size(stored)
        while len(self._stored) > MAX_RESPONSES or (self._bytes > MAX_BYTES and len(self._stored) > 1):
            _, oldest = self._stored.popitem(last=False)
            self._bytes -= _size(oldest)

    def get(self, name: str) -> Stored | None:
        return self._stored.get(name)

    def delete(self, name: str) -> bool:
        stored = self._stored.pop(name, None)
        if stored is None:
            return False
        self._bytes -= _size(stored)
        return True


def _size(stored: Stored) -> int:
    return len(stored.body) + stored.text_bytes
