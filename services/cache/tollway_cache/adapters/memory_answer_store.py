"""Answers in this process, bounded by bytes; for one replica, and where no Redis is configured."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

from tollway_cache.domain.ports import KeyNews, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from tollway_cache.domain.answer import Entry

# more than what an answer costs beside its bytes
OVERHEAD_BYTES = 1_000
MOST_KEYS_AT_ONCE = 1_000
MOST_UNTOLD_KEYS = 100_000
"""For a watch that does not come to read them; then it ends."""


class MemoryAnswerStore:
    """Forgets the answer that was used least recently when it is full."""

    def __init__(self, max_bytes: int, clock: Callable[[], float]) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._answers: OrderedDict[tuple[str, bytes], tuple[float, bytes]] = OrderedDict()
        self.size_bytes = 0
        self._watches: set[_Watch] = set()

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
        kept = sum(map(self._keep, entries))
        for watch in self._watches:
            watch.tell(entries)
        return kept

    async def watch_keys(self) -> AsyncGenerator[KeyNews, None]:
        watch, keys = _Watch(), [key for _, key in self._answers]
        self._watches.add(watch)
        try:
            yield KeyNews(expected_keys=len(keys))
            for start in range(0, len(keys), MOST_KEYS_AT_ONCE):
                yield KeyNews(keys[start : start + MOST_KEYS_AT_ONCE])
            yield KeyNews(is_whole=True)
            while True:
                yield KeyNews(await watch.news())
        finally:
            self._watches.discard(watch)

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


class _Watch:
    """Keys that one watcher was not told yet."""

    def __init__(self) -> None:
        self._untold: list[bytes] = []
        self._is_news = asyncio.Event()

    def tell(self, entries: Sequence[Entry]) -> None:
        if len(self._untold) <= MOST_UNTOLD_KEYS:
            self._untold.extend(entry.exact_key for entry in entries)
        self._is_news.set()

    async def news(self) -> list[bytes]:
        await self._is_news.wait()
        if len(self._untold) > MOST_UNTOLD_KEYS:
            raise StoreUnavailable("who watches its keys is too slow")
        told, self._untold = self._untold, []
        self._is_news.clear()
        return told


def _size(packed: bytes) -> int:
    return len(packed) + OVERHEAD_BYTES
