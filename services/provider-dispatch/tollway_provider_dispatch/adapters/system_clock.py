"""Wall time of this machine."""

from __future__ import annotations

import time


class SystemClock:
    """A `Clock`."""

    def unix_ms(self) -> int:
        return time.time_ns() // 1_000_000
