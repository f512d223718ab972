"""Reserves room for calls, books what they used, and answers what was booked; the servicer's only door."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tollway_servicekit.errors import InvalidRequest

from tollway_metering.domain.budget import MonthlyBudget
from tollway_metering.domain.charges import counted_tokens, price
from tollway_metering.domain.month import month_of

if TYPE_CHECKING:
    from tollway_pricing import PriceTable

    from tollway_metering.domain.batch import CallColumns
    from tollway_metering.domain.calls import BookedCall, UsageSums
    from tollway_metering.domain.ports import Clock, Ledger
    from tollway_metering.domain.workspaces import WorkspaceDirectory

MAX_LISTED = 1000


class Metering:
    """The single writer of the ledger. Budgets live in memory; `load` fills them from the ledger at start."""

    def __init__(self, ledger: Ledger, clock: Clock, prices: PriceTable, directory: WorkspaceDirectory) -> None:
        self._ledger = ledger
        self._clock = clock
        self._prices = prices
        self._directory = directory
        self._budgets: dict[str, MonthlyBudget] = {}
        self._settling: set[asyncio.Task[int]] = set()

    async def load(self, workspace: str) -> None:
        """Begin a workspace's budget with what the ledger has of this month."""
        now = self._clock.now_unix_ms()
        booked = await self._ledger.month_tokens(workspace, month_of(now)[0])
        self._budgets[workspace] = MonthlyBudget(workspace, now, booked)

    def reserve(self, call_id: str, workspace: str, tokens: int) -> int:
        """
        Set tokens aside before a call and return how many; 0 where the workspace has no cap.

        Raises:
            NotFound: There is no such workspace.
            Exhausted: The cap leaves no room.
        """
        cap = self._directory.find(workspace).monthly_token_cap
        if not cap:
            return 0
        self._budgets[workspace].reserve(call_id, tokens, cap, self._clock.now_unix_ms())
        return tokens

    async def settle(self, calls: CallColumns) -> int:
        """Book finished calls and release what they had reserved; return how many were new."""
        # a caller that leaves must not part what the ledger has from what the budget counts
        task = asyncio.create_task(self._book(calls))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
        return await asyncio.shield(task)

    async def finish(self) -> None:
        """Wait for bookings that run; called before the ledger is closed."""
        await asyncio.gather(*self._settling, return_exceptions=True)

    async def usage_since(self, workspace: str, since_unix_ms: int) -> UsageSums:
        self._directory.find(workspace)
        return await self._ledger.sums_since(workspace, since_unix_ms)

    def month_tokens(self, workspace: str) -> tuple[int, int]:
        """Return the workspace's cap and what counts towards it in the month that runs."""
        cap = self._directory.find(workspace).monthly_token_cap
        return cap, self._budgets[workspace].booked(self._clock.now_unix_ms())

    async def latest(self, workspace: str, limit: int) -> list[BookedCall]:
        self._directory.find(workspace)
        if not 1 <= limit <= MAX_LISTED:
            raise InvalidRequest("LIMIT_INVALID", f"limit must be from 1 to {MAX_LISTED}, not {limit}")
        return await self._ledger.latest(workspace, limit)

    async def _book(self, calls: CallColumns) -> int:
        now = self._clock.now_unix_ms()
        priced = price(calls, self._prices, now)
        new = await self._ledger.book(priced)
        for workspace, tokens in counted_tokens(priced, new).items():
            budget = self._budgets.get(workspace)
            if budget:
                budget.add(tokens, now)
        for workspace in {kind.workspace for kind in calls.kinds}:
            budget = self._budgets.get(workspace)
            if budget:
                budget.release_all(calls.call_ids)
        return len(new)
