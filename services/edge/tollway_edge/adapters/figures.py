"""A workspace's own figures, from metering: the month's sums and the latest calls, as JSON for people and programs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tollway.chat.v1 import chat_pb2
from tollway.metering.v1 import metering_pb2 as pb
from tollway_dialects.messages import DIALECTS
from tollway_servicekit.context import call_metadata
from tollway_servicekit.errors import ServiceError

from tollway_edge.domain.errors import GatewayError, GatewayErrorKind

if TYPE_CHECKING:
    from tollway.metering.v1.metering_pb2_grpc import MeteringServiceAsyncStub

    from tollway_edge.adapters.batches import Batches
    from tollway_edge.adapters.ledger_records import Record

ASK_SECONDS = 5.0
_STATUSES = {
    pb.CALL_STATUS_SUCCEEDED: "succeeded",
    pb.CALL_STATUS_FAILED: "failed",
    pb.CALL_STATUS_CANCELLED: "cancelled",
}
_OUTCOMES = {
    chat_pb2.ATTEMPT_OUTCOME_SUCCEEDED: "succeeded",
    chat_pb2.ATTEMPT_OUTCOME_REFUSED: "refused",
    chat_pb2.ATTEMPT_OUTCOME_BROKEN: "broken",
    chat_pb2.ATTEMPT_OUTCOME_CANCELLED: "cancelled",
}


class LedgerFigures:
    """
    Reads the ledger.

    Args:
        stub: metering.
        records: Records on their way there; they are hurried along first, so that callers see what they just did.
    """

    def __init__(self, stub: MeteringServiceAsyncStub, records: Batches[Record]) -> None:
        self._stub = stub
        self._records = records

    async def month(self, workspace: str) -> dict[str, Any]:
        start = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        await self._records.flush(timeout=1.0)
        request = pb.GetUsageRequest(workspace=workspace, since_unix_ms=round(start.timestamp() * 1000))
        try:
            usage = await self._stub.GetUsage(request, timeout=ASK_SECONDS, metadata=call_metadata(workspace))
        except ServiceError as error:
            raise _unavailable(error) from error
        return {
            "workspace": workspace,
            "since": start.isoformat(),
            "calls": usage.calls,
            "failed_calls": usage.failed_calls,
            "cancelled_calls": usage.cancelled_calls,
            "cache_hits": usage.cache_hits,
            "usage": _usage(usage.usage),
            "cost_usd": usage.cost_micro_usd / 1_000_000,
            "saved_usd": usage.saved_micro_usd / 1_000_000,
            "monthly_token_cap": usage.monthly_token_cap or None,
            "month_tokens": usage.month_tokens,
        }

    async def recent(self, workspace: str, limit: int) -> dict[str, Any]:
        await self._records.flush(timeout=1.0)
        request = pb.ListCallsRequest(workspace=workspace, limit=limit)
        try:
            listed = await self._stub.ListCalls(request, timeout=ASK_SECONDS, metadata=call_metadata(workspace))
        except ServiceError as error:
            raise _unavailable(error) from error
        return {"calls": [_call(booked) for booked in listed.calls]}


def _call(booked: pb.BookedCall) -> dict[str, Any]:
    call = booked.call
    return {
        "call_id": call.call_id,
        "query_id": call.call_id[-8:],
        "workspace": call.workspace,
        "started_at": _moment(call.started_unix_ms),
        "duration_ms": call.duration_ms,
        "time_to_first_byte_ms": call.time_to_first_byte_ms or None,
        "dialect": DIALECTS.get(call.dialect, ""),
        "streamed": call.is_streamed,
        "requested_model": call.requested_model,
        "model": call.model,
        "provider": call.provider,
        "tier": call.tier,
        "classifier": call.classifier,
        "cache": call.cache,
        "prompt": call.prompt or None,
        "status": _STATUSES.get(call.status, ""),
        "http_status": call.http_status,
        "reason": call.reason,
        "usage": _usage(call.usage),
        "cost_usd": None if booked.is_unpriced else booked.cost_micro_usd / 1_000_000,
        "saved_usd": call.saved_micro_usd / 1_000_000,
        "attempts": [_attempt(attempt) for attempt in call.attempts],
    }


def _attempt(attempt: chat_pb2.Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "provider": attempt.provider,
        "model": attempt.model,
        "key_fingerprint": attempt.key_fingerprint,
        "http_status": attempt.http_status or None,
        "outcome": _OUTCOMES.get(attempt.outcome, ""),
        "reason": attempt.reason,
        "usage": _usage(attempt.usage),
        "started_at": _moment(attempt.started_unix_ms),
        "duration_ms": attempt.duration_ms,
    }


def _usage(usage: chat_pb2.Usage) -> dict[str, Any]:
    return {
        "uncached_input_tokens": usage.uncached_input_tokens,
        "cache_write_short_tokens": usage.cache_write_short_tokens,
        "cache_write_long_tokens": usage.cache_write_long_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "estimated": usage.estimated,
    }


def _moment(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _unavailable(error: ServiceError) -> GatewayError:
    message = f"metering cannot be asked now ({error.reason}); try again in a moment"
    return GatewayError(GatewayErrorKind.UNAVAILABLE, error.reason, message, retry_after=2)
