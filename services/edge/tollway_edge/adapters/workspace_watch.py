"""Keeps `Workspaces` up to date from metering's watch stream, for as long as the process runs."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from tollway.metering.v1 import metering_pb2
from tollway_pricing.table import PriceRow, PriceTable
from tollway_servicekit.errors import ServiceError
from tollway_servicekit.stubs import responses

from tollway_edge.domain.workspaces import Workspace, Workspaces

if TYPE_CHECKING:
    from tollway.metering.v1.metering_pb2_grpc import MeteringServiceAsyncStub

log = logging.getLogger(__name__)


async def watch_workspaces(stub: MeteringServiceAsyncStub, workspaces: Workspaces) -> None:
    """Take every snapshot; come again after a break. Runs until cancelled."""
    delay = 0.1
    while True:
        try:
            async with responses(stub.WatchWorkspaces(metering_pb2.WatchWorkspacesRequest())) as snapshots:
                async for snapshot in snapshots:
                    _take(snapshot, workspaces)
                    delay = 0.1
        except ServiceError as error:
            level = logging.WARNING if workspaces.is_known else logging.INFO
            log.log(level, "metering cannot be watched, trying again in %.1f s (%s)", delay, error.reason)
        await asyncio.sleep(delay)
        delay = min(delay * 2, 3.0)


def _take(snapshot: metering_pb2.WatchWorkspacesResponse, workspaces: Workspaces) -> None:
    by_digest = {
        digest: Workspace(workspace.name, workspace.monthly_token_cap)
        for workspace in snapshot.workspaces
        for digest in workspace.key_digests
    }
    prices = [
        PriceRow(
            model=row.model,
            from_unix_ms=row.from_unix_ms,
            above_input_tokens=row.above_input_tokens,
            input=row.input,
            cache_write_short=row.cache_write_short,
            cache_write_long=row.cache_write_long,
            cache_read=row.cache_read,
            output=row.output,
            weekday_hours=row.weekday_hours,
        )
        for row in snapshot.prices
    ]
    workspaces.replace(by_digest, PriceTable(prices))
    log.info("workspaces in force: %s", ", ".join(workspace.name for workspace in snapshot.workspaces) or "none")
