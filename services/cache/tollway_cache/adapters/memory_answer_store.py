"""Answers in this process, bounded by bytes; for one replica, and where no Redis is configured."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tollway_cache.domain.answer import Entry

# more than what an answer costs beside its bytes
OVERHEAD_BYTES = 1_000


class MemoryAnswerStore:
    """Forgets the answer that was used least recently when it is full."""

    def __init__(self, max_bytes: int, clock: Callable[[], float]) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._answers: OrderedDict[tuple[str, bytes], tuple[float, bytes]] = OrderedDict()
        self.size_bytes = 0

    async def get(self, partition: str, exact_key: bytes) -> bytes | None:
        key = (partition, exact_key)
        found = self._answers.get(key)
        if found is None:
            return None
        expires_at, packed = found
        if expires_at <= self._clock():
            self._remove(key)
            return None
        self._answers.move_to_end(key)
        return packed

    async def get_all(self, partition: str, exact_keys: Sequence[bytes]) -> list[bytes | None]:
        return [await self.get(partition, exact_key) for exact_key in exact_keys]

    async def put(self, entries: Sequence[Entry]) -> int:
        return sum(map(self._keep, entries))

    def _keep(self, entry: Entry) -> bool:
        key = (entry.partition, entry.exact_key)
        if key in self._answers:
            self._remove(key)
        size = _size(entry.packed)
        if size > self._max_bytes:
            return False
        while self.size_bytes + size > self._max_bytes:
            self._remove(next(iter(self._answers)))
        self._answers[key] = (self._clock() + entry.ttl_seconds, entry.packed)
        self.size_bytes += size
        return True

    def _remove(self, key: tuple[str, bytes]) -> None:
        _, packed = self._answers.pop(key)
        self.size_bytes -= _size(packed)


def _size(packed: bytes) -> int:
    return len(packed) + OVERHEAD_BYTES
