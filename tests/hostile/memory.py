"""What the processes of a Tollway hold, now and at their most."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway import Gateway

LOOK_SECONDS = 0.1


def memory(gateway: Gateway) -> dict[str, int]:
    """Return the resident bytes of each process."""
    return {name: psutil.Process(pid).memory_info().rss for name, pid in gateway.pids.items()}


@contextmanager
def peak_memory(gateway: Gateway) -> Iterator[dict[str, int]]:
    """Yield the most that each process held since; it is kept up to date until the block ends."""
    peak = memory(gateway)
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(LOOK_SECONDS):
            peak.update({name: max(peak[name], size) for name, size in memory(gateway).items()})

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield peak
    finally:
        is_over.set()
        watcher.join()
