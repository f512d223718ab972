"""What the domain needs from outside: a ledger and a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tollway_metering.domain.calls import BookedCall, UsageSums


class Ledger(Protocol):
    """Keeps booked calls for good. Raises `Unavailable` where it cannot; then nothing was booked."""

    async def book(self, rows: Sequence[BookedCall]) -> list[BookedCall]:
        """Add rows, all or none; return those that were new. A call_id that is there already changes nothing."""

    async def sums_since(self, workspace: str, since_unix_ms: int) -> UsageSums:
        """Sum up a workspace's calls that started at the moment or later."""

    async def latest(self, workspace: str, limit: int) -> list[BookedCall]:
        """Return a workspace's latest calls by start, newest first."""

    async def tokens_booked_since(self, workspace: str, since_unix_ms: int) -> int:
        """Sum up the tokens that count towards the cap, of calls that were booked at the moment or later."""


class Clock(Protocol):
    """Tells the time."""

    def now_unix_ms(self) -> int: ...
