"""Memory and CPU of a running topology, and how many files a process may open; used by `test_streams`."""

from __future__ import annotations

import asyncio
import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# a stream is a file at both of its ends in every process that it runs through, and processes have others too
FILES_PER_STREAM = 3
SAMPLE_SECONDS = 0.25
SETTLED_SECONDS = 0.5


@contextmanager
def enough_files(streams: int) -> Iterator[bool]:
    """Raise this process's limit of open files, which its children inherit; False where the system forbids it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = streams * FILES_PER_STREAM + 512
    most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    try:
        yield most == wanted or soft >= wanted
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Usage:
    """What the processes take, from now on."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._before = self._memory()
        self._peak = dict(self._before)
        self._cpu_before = self._cpu()

    async def watch(self) -> None:
        """Note the peaks until cancelled."""
        while True:
            now = await asyncio.to_thread(self._memory)
            self._peak = {name: max(size, self._peak[name]) for name, size in now.items()}
            await asyncio.sleep(SAMPLE_SECONDS)

    def grown(self) -> dict[str, int]:
        """Bytes by which each process grew at its peak."""
        return {name: self._peak[name] - self._before[name] for name in self._peak}

    def now(self) -> int:
        """Bytes of all processes."""
        return sum(self._memory().values())

    async def settled(self) -> int:
        """Bytes of all processes once they do not grow any more."""
        last, most = 0, await asyncio.to_thread(self.now)
        while most > last:
            last = most
            await asyncio.sleep(SETTLED_SECONDS)
            most = max(last, await asyncio.to_thread(self.now))
        return most

    def cpu_seconds(self) -> dict[str, float]:
        return {name: used - self._cpu_before[name] for name, used in self._cpu().items()}

    def _memory(self) -> dict[str, int]:
        infos = {name: process.memory_full_info() for name, process in self._processes.items()}
        return {name: getattr(info, "pss", 0) or info.uss for name, info in infos.items()}

    def _cpu(self) -> dict[str, float]:
        return {name: sum(process.cpu_times()[:2]) for name, process in self._processes.items()}
