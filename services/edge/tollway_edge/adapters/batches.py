"""A bounded queue that leaves in batches, off the request path; the ledger and the cache are written through one."""

from __future__ import annotations

import asyncio
import logging
import time
from bisect import bisect_left
from collections import deque
from itertools import accumulate, islice
from math import inf
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tollway_servicekit.errors import Exhausted, InvalidRequest, ServiceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Item = TypeVar("Item")

log = logging.getLogger(__name__)

WARNING_SECONDS = 10.0


class Batches(Generic[Item]):
    """
    Items in, batches out, in order.

    Args:
        name: For the log.
        send: Takes one batch; a `ServiceError` means that it did not arrive.
        interval: Seconds that items may wait for company.
        most_per_batch: Items in one batch.
        most_waiting: Items held; the oldest are dropped beyond, counted and logged.
        retries: Whether a batch that did not arrive is sent again until it does; else it is dropped.
    """

    def __init__(
        self,
        name: str,
        send: Callable[[list[Item]], Awaitable[None]],
        *,
        interval: float = 0.05,
        most_per_batch: int = 256,
        most_waiting: int = 20_000,
        retries: bool = False,
    ) -> None:
        self.dropped = 0
        self._next_warning = 0.0
        self._name = name
        self._send = send
        self._interval = interval
        self._most_per_batch = most_per_batch
        self._most_waiting = most_waiting
        self._retries = retries
        self._items: deque[Item] = deque()
        self._arrived = asyncio.Event()
        self._hurry = asyncio.Event()
        self._settled = asyncio.Condition()
        self._on_the_way = self._sent = self._hurried = 0

    def __len__(self) -> int:
        """Items that have not arrived, those on their way among them."""
        return self._on_the_way + len(self._items)

    def add(self, item: Item) -> None:
        self._items.append(item)
        count = len(self._items)
        if count == 1:
            self._arrived.set()
        elif count > self._most_waiting:
            self._drop_oldest()

    def _drop_oldest(self) -> Item:
        self._sent += 1
        self._drop(1)
        return self._items.popleft()

    async def run(self) -> None:
        """Send batches for ever; cancel to stop, after `flush`."""
        while True:
            await self._arrived.wait()
            await self._company()
            batch = self._next_batch()
            self._on_the_way = len(batch)
            if batch:  # all that waited may have been dropped meanwhile
                await self._deliver(batch)
            if not self._items:
                self._arrived.clear()
            async with self._settled:
                self._arrive(batch)
                self._settled.notify_all()

    async def flush(self, timeout: float) -> bool:
        """Hurry; True once everything that was added before has left, False if that took too long."""
        target = self._hurried = self._sent + len(self)
        self._hurry.set()
        try:
            async with asyncio.timeout(timeout), self._settled:
                await self._settled.wait_for(lambda: self._sent >= target)
        except TimeoutError:
            return False
        return True

    async def _company(self) -> None:
        if not self._is_full() and self._sent >= self._hurried:
            try:
                async with asyncio.timeout(self._interval):
                    await self._hurry.wait()
            except TimeoutError:
                pass
        self._hurry.clear()

    def _is_full(self) -> bool:
        """What waits makes a batch that no company is waited for."""
        return len(self._items) >= self._most_per_batch

    def _next_batch(self) -> list[Item]:
        return self._take(min(len(self._items), self._most_per_batch))

    def _take(self, count: int) -> list[Item]:
        items = self._items
        if count < len(items):
            return [items.popleft() for _ in range(count)]
        taken = list(items)
        items.clear()
        return taken

    def _arrive(self, batch: list[Item]) -> None:
        """Note that it is no longer on its way; it may have been dropped."""
        self._on_the_way = 0
        self._sent += len(batch)

    async def _deliver(self, batch: list[Item]) -> None:
        delay = 0.1
        while True:
            try:
                return await self._send(batch)
            except (InvalidRequest, Exhausted) as error:  # the latter says that it is too large
                return await self._deliver_singly(batch, str(error))
            except ServiceError as error:
                if not self._retries:
                    return self._drop(len(batch))
                log.warning("%s: %d waiting, trying again in %.1f s (%s)", self._name, len(batch), delay, error.reason)
            except Exception as error:  # what no message can hold, such as a number that a provider made up
                return await self._deliver_singly(batch, type(error).__name__)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 5.0)

    async def _deliver_singly(self, batch: list[Item], why: str) -> None:
        """What is refused for what it is must not hold up the others."""
        if len(batch) == 1:
            log.error("%s: refused for good (%s)", self._name, why)
            return self._drop(1)
        for item in batch:
            await self._deliver([item])
        return None

    def _drop(self, count: int) -> None:
        self.dropped += count
        now = time.monotonic()
        if now >= self._next_warning:  # an outage drops items by the thousand
            self._next_warning = now + WARNING_SECONDS
            log.warning("%s: dropped %d in all", self._name, self.dropped)


class SizedBatches(Batches[Item]):
    """
    Batches of items whose bytes matter; takes what `Batches` takes, and those bounds.

    Args:
        size_of: Bytes of an item.
        most_bytes_per_batch: After so many bytes a batch takes no further item.
        most_bytes: Bytes held, those on their way among them; the oldest items are dropped beyond.
    """

    def __init__(
        self,
        name: str,
        send: Callable[[list[Item]], Awaitable[None]],
        *,
        size_of: Callable[[Item], int],
        most_bytes_per_batch: float = inf,
        most_bytes: float = inf,
        **bounds: Any,
    ) -> None:
        super().__init__(name, send, **bounds)
        self.bytes = 0
        """Of the items that have not arrived."""
        self._size_of = size_of
        self._most_bytes_per_batch = most_bytes_per_batch
        self._most_bytes = most_bytes

    def add(self, item: Item) -> None:
        self.bytes += self._size_of(item)
        Batches.add(self, item)
        while self.bytes > self._most_bytes and self._items:
            self._drop_oldest()

    def _drop_oldest(self) -> Item:
        oldest = super()._drop_oldest()
        self.bytes -= self._size_of(oldest)
        return oldest

    def _is_full(self) -> bool:
        return super()._is_full() or self.bytes >= self._most_bytes_per_batch

    def _next_batch(self) -> list[Item]:
        if self.bytes < self._most_bytes_per_batch:  # of nothing but what waits, since no batch is on its way
            return super()._next_batch()
        sizes = list(accumulate(map(self._size_of, islice(self._items, self._most_per_batch))))
        return self._take(bisect_left(sizes[:-1], self._most_bytes_per_batch) + 1 if sizes else 0)

    def _arrive(self, batch: list[Item]) -> None:
        super()._arrive(batch)
        self.bytes -= sum(map(self._size_of, batch))
