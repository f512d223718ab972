"""What the domain needs from outside: a ledger and a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tollway_metering.domain.batch import PricedCalls
    from tollway_metering.domain.calls import BookedCall, UsageSums


class Ledger(Protocol):
    """Keeps booked calls for good. Raises `Unavailable` where it cannot; then nothing was booked."""

    async def book(self, priced: PricedCalls) -> Sequence[int]:
        """Add calls, all or none; return the places of those that were new. A call_id that is there changes nothing."""

    async def sums_since(self, workspace: str, since_unix_ms: int) -> UsageSums:
        """Sum up a workspace's calls that started at the moment or later."""

    async def latest(self, workspace: str, limit: int) -> list[BookedCall]:
        """Return a workspace's latest calls by start, newest first."""

    async def month_tokens(self, workspace: str, begin_unix_ms: int) -> int:
        """Sum up the tokens that count towards the cap, of calls that were booked in the month that begins then."""


class Clock(Protocol):
    """Tells the time."""

    def now_unix_ms(self) -> int: ...
