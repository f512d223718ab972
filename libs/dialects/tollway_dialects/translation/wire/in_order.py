"""Puts the parts of an answer one after the other, where a provider sends several at once; used for every encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.sse import MAX_EVENT
from tollway_dialects.translation.errors import MalformedAnswer
from tollway_dialects.translation.form.deltas import Cited, Grew, PartEnded, PartStarted, Signed

if TYPE_CHECKING:
    from collections.abc import Iterator

PartDelta = PartStarted | Grew | Signed | Cited | PartEnded


class InOrder:
    """The first part that is open passes at once; those that began meanwhile wait, up to a bound."""

    def __init__(self) -> None:
        self._open: str | None = None
        self._waiting: dict[str, list[PartDelta]] = {}
        self._size = 0

    def take(self, delta: PartDelta) -> Iterator[PartDelta]:
        if isinstance(delta, PartStarted):
            if delta.key == self._open or delta.key in self._waiting:
                raise MalformedAnswer("a part began twice")
            if self._open is None:
                self._open = delta.key
                yield delta
            else:
                self._waiting[delta.key] = [delta]
        elif delta.key == self._open:
            yield delta
            if isinstance(delta, PartEnded):
                yield from self._next()
        elif delta.key in self._waiting:
            self._keep(delta)
        else:
            raise MalformedAnswer("a part went on that had not begun")

    def end_all(self) -> Iterator[PartDelta]:
        """End every part that is open, in order."""
        while self._open is not None:
            yield from self.take(PartEnded(self._open))

    def _keep(self, delta: PartDelta) -> None:
        self._waiting[delta.key].append(delta)
        self._size += len(delta.text) if isinstance(delta, Grew) else 1
        if self._size > MAX_EVENT:
            raise MalformedAnswer("too much of a part came before the one ahead of it ended")

    def _next(self) -> Iterator[PartDelta]:
        self._open = None
        while self._waiting and self._open is None:
            key = next(iter(self._waiting))
            for delta in self._waiting.pop(key):
                self._size -= len(delta.text) if isinstance(delta, Grew) else 0
                yield delta
                self._open = None if isinstance(delta, PartEnded) else key
