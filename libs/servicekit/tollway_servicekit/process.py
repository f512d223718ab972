"""Runs a service's process: uvloop, logs, and one stop event for SIGTERM and SIGINT; called by every `__main__`."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import signal
import sys
from typing import TYPE_CHECKING

import uvloop

from tollway_servicekit.logs import configure_logs
from tollway_servicekit.settings import SettingError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

KEPT_BYTES = 32 * 1024 * 1024
"""Of free memory at the heap's end."""
MAPPED_BYTES = 8 * 1024 * 1024
"""A larger block is memory of its own, which is given back with it."""
# malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def run(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run `main(stop)` until it returns; `stop` is set by the first SIGTERM or SIGINT, a second one ends at once."""
    # a call makes some hundred objects that die with it: looked through after every 700, they cost 6 % of the CPU
    gc.set_threshold(10_000, 10, 10)
    keep_freed_memory()
    try:
        configure_logs(os.environ)
        uvloop.run(_with_signals(main))
    except (SettingError, OSError) as error:
        sys.exit(f"cannot start: {error}")


def keep_freed_memory() -> None:
    """
    Let glibc keep what large bodies were in, for the next ones; other C libraries are left as they are.

    By itself it gives memory at the heap's end back as soon as twice the largest block is free there, and takes it
    again for the next body, page by page: an eighth of what a body of 400 KB costs, and a third between processes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(_M_MMAP_THRESHOLD, MAPPED_BYTES)


async def _with_signals(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(number: signal.Signals) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    await main(stop)
