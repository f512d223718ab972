"""The machine's clock."""

from __future__ import annotations

import time


class SystemClock:
    """Clock of the operating system."""

    def now_unix_ms(self) -> int:
        return time.time_ns() // 1_000_000
