"""Builds the metering servicer; the only file that chooses adapters."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from tollway_pricing import PriceTable, load_prices

from tollway_metering.adapters.sqlite_ledger import open_ledger
from tollway_metering.adapters.system_clock import SystemClock
from tollway_metering.domain.metering import Metering
from tollway_metering.domain.workspaces import Workspace, WorkspaceDirectory
from tollway_metering.entrypoints.servicer import MeteringServicer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_metering.domain.ports import Clock, Ledger
    from tollway_metering.settings import Settings

DEFAULT_WORKSPACE = "default"


@asynccontextmanager
async def bootstrap(
    settings: Settings, *, ledger: Ledger | None = None, clock: Clock | None = None
) -> AsyncIterator[MeteringServicer]:
    """Yield the servicer; its ledger is open as long as the block runs. Tests pass a ledger and a clock."""
    async with AsyncExitStack() as stack:
        if ledger is None:
            ledger = await stack.enter_async_context(open_ledger(settings.ledger_path))
        directory = WorkspaceDirectory()
        directory.publish(
            [Workspace(DEFAULT_WORKSPACE, (settings.default_key_digest,), settings.monthly_token_cap)],
        )
        prices = load_prices()
        metering = Metering(ledger, clock or SystemClock(), PriceTable(prices), directory)
        await metering.load(DEFAULT_WORKSPACE)
        stack.push_async_callback(metering.finish)
        yield MeteringServicer(metering, directory, prices)
