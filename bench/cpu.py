"""How much CPU time a process has used, as exactly as the system tells; used by `processes`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil


def cpu_seconds(process: psutil.Process) -> float:
    """
    Return user and system time of all its threads so far.

    Linux's scheduler counts nanoseconds; elsewhere it is ticks of 10 ms, a twentieth of what some cases take. The
    exact count lacks threads that have ended, of which these processes have none while they are measured.
    """
    threads = list(Path(f"/proc/{process.pid}/task").glob("*/schedstat"))
    try:
        if threads:
            return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
    except (FileNotFoundError, ProcessLookupError):  # a thread has ended since
        pass
    # the children_ fields hold what children that have ended used
    return sum(process.cpu_times()[:4])
