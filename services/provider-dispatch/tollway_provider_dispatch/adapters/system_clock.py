"""Time of this machine."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """A `Clock`."""

    def unix_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
