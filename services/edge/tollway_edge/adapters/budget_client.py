"""metering's reservations as the pipeline's `Budget`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway.metering.v1 import metering_pb2
from tollway_servicekit.context import call_metadata
from tollway_servicekit.errors import ServiceError

from tollway_edge.domain.errors import GatewayError, GatewayErrorKind

if TYPE_CHECKING:
    from tollway.metering.v1.metering_pb2_grpc import MeteringServiceAsyncStub

    from tollway_edge.domain.call import Call

RESERVE_SECONDS = 2.0


class BudgetClient:
    """Reserves for one call at a time; fails closed."""

    def __init__(self, stub: MeteringServiceAsyncStub) -> None:
        self._stub = stub

    async def reserve(self, call: Call, input_tokens: int, output_tokens: int) -> None:
        workspace = call.workspace.name if call.workspace else ""
        request = metering_pb2.ReserveCallRequest(
            call_id=call.call_id, workspace=workspace, input_tokens=input_tokens, output_tokens=output_tokens
        )
        metadata = call_metadata(workspace, call.traceparent)
        try:
            await self._stub.ReserveCall(request, timeout=RESERVE_SECONDS, metadata=metadata)
        except ServiceError as error:
            if error.reason == "QUOTA_EXCEEDED":
                retry_after = 2 if error.metadata.get("retryable") == "true" else None
                raise GatewayError(GatewayErrorKind.QUOTA_EXCEEDED, error.reason, error.message, retry_after) from error
            message = "the budget cannot be checked now, so nothing is spent; try again in a moment"
            raise GatewayError(GatewayErrorKind.UNAVAILABLE, "BUDGET_UNKNOWN", message, retry_after=2) from error
