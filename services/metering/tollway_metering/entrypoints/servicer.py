"""MeteringService over the domain; nothing but translation."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from tollway.metering.v1 import metering_pb2
from tollway_dialects.messages import usage_to
from tollway_servicekit.contract import Contract
from tollway_servicekit.errors import InvalidRequest

from tollway_metering.entrypoints.columns import to_calls
from tollway_metering.entrypoints.messages import (
    is_call_id,
    to_booked_message,
    to_price_message,
    to_workspace_message,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tollway_pricing import PriceRow
    from tollway_servicekit.context import CallContext

    from tollway_metering.domain.metering import Metering
    from tollway_metering.domain.workspaces import WorkspaceDirectory

CONTRACT = Contract.of(metering_pb2, "MeteringService")


class MeteringServicer:
    """Serves `tollway.metering.v1.MeteringService`."""

    def __init__(self, metering: Metering, directory: WorkspaceDirectory, prices: Sequence[PriceRow]) -> None:
        self._metering = metering
        self._directory = directory
        self._prices = [to_price_message(row) for row in prices]

    async def ReserveCall(
        self, request: metering_pb2.ReserveCallRequest, context: CallContext
    ) -> metering_pb2.ReserveCallResponse:
        if not is_call_id(request.call_id):
            raise InvalidRequest("CALL_INVALID", "call_id must be 32 hex digits")
        if request.input_tokens < 0 or request.output_tokens < 0:
            raise InvalidRequest("CALL_INVALID", "input_tokens and output_tokens must not be negative")
        tokens = request.input_tokens + request.output_tokens
        reserved = self._metering.reserve(request.call_id, request.workspace, tokens)
        return metering_pb2.ReserveCallResponse(reserved_tokens=reserved)

    async def SettleCalls(
        self, request: metering_pb2.SettleCallsRequest, context: CallContext
    ) -> metering_pb2.SettleCallsResponse:
        booked = await self._metering.settle(to_calls(request.columns))
        return metering_pb2.SettleCallsResponse(booked_count=booked)

    async def GetUsage(
        self, request: metering_pb2.GetUsageRequest, context: CallContext
    ) -> metering_pb2.GetUsageResponse:
        sums = await self._metering.usage_since(request.workspace, request.since_unix_ms)
        cap, month_tokens = self._metering.month_tokens(request.workspace)
        return metering_pb2.GetUsageResponse(
            calls=sums.calls,
            failed_calls=sums.failed_calls,
            cancelled_calls=sums.cancelled_calls,
            cache_hits=sums.cache_hits,
            usage=usage_to(sums.usage),
            cost_micro_usd=sums.cost_micro_usd,
            saved_micro_usd=sums.saved_micro_usd,
            monthly_token_cap=cap,
            month_tokens=month_tokens,
        )

    async def ListCalls(
        self, request: metering_pb2.ListCallsRequest, context: CallContext
    ) -> metering_pb2.ListCallsResponse:
        rows = await self._metering.latest(request.workspace, request.limit)
        return metering_pb2.ListCallsResponse(calls=map(to_booked_message, rows))

    async def WatchWorkspaces(
        self, request: metering_pb2.WatchWorkspacesRequest, context: CallContext
    ) -> AsyncIterator[metering_pb2.WatchWorkspacesResponse]:
        async with aclosing(self._directory.watch()) as snapshots:
            async for snapshot in snapshots:
                workspaces = map(to_workspace_message, snapshot.workspaces)
                yield metering_pb2.WatchWorkspacesResponse(
                    revision=snapshot.revision, workspaces=workspaces, prices=self._prices
                )

    def end_watches(self) -> None:
        """End open watches; called before the server stops, which would wait for them."""
        self._directory.end_watches()
