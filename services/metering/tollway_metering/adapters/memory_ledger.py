"""The ledger's memory twin: same behaviour, gone with the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.usage import Usage

from tollway_metering.domain.calls import CallStatus, UsageSums
from tollway_metering.domain.month import month_of

if TYPE_CHECKING:
    from tollway_metering.domain.batch import PricedCalls
    from tollway_metering.domain.calls import BookedCall

_COUNTS = [name for name in Usage.__struct_fields__ if name != "is_estimated"]


class MemoryLedger:
    """Keeps rows in a dict by call_id."""

    def __init__(self) -> None:
        self._rows: dict[str, BookedCall] = {}

    async def book(self, priced: PricedCalls) -> list[int]:
        rows = enumerate(priced.rows())
        return [place for place, row in rows if self._rows.setdefault(row.call.call_id, row) is row]

    async def sums_since(self, workspace: str, since_unix_ms: int) -> UsageSums:
        rows = [row for row in self._of(workspace) if row.call.started_unix_ms >= since_unix_ms]
        bought = [row.call.usage for row in rows if not row.call.is_cache_hit]
        return UsageSums(
            calls=len(rows),
            failed_calls=sum(row.call.status is CallStatus.FAILED for row in rows),
            cancelled_calls=sum(row.call.status is CallStatus.CANCELLED for row in rows),
            cache_hits=sum(row.call.is_cache_hit for row in rows),
            usage=Usage(
                **{name: sum(getattr(usage, name) for usage in bought) for name in _COUNTS},
                is_estimated=any(usage.is_estimated for usage in bought),
            ),
            cost_micro_usd=sum(row.charge.micro_usd for row in rows),
            saved_micro_usd=sum(row.call.saved_micro_usd for row in rows),
        )

    async def latest(self, workspace: str, limit: int) -> list[BookedCall]:
        rows = self._of(workspace)[::-1]  # of calls that began together, the one booked last comes first
        rows.sort(key=lambda row: row.call.started_unix_ms, reverse=True)
        return rows[:limit]

    async def month_tokens(self, workspace: str, begin_unix_ms: int) -> int:
        rows = self._of(workspace)
        return sum(row.call.counted_tokens for row in rows if month_of(row.booked_unix_ms)[0] == begin_unix_ms)

    def _of(self, workspace: str) -> list[BookedCall]:
        return [row for row in self._rows.values() if row.call.workspace == workspace]
