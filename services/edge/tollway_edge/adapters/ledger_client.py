"""metering's ledger as the pipeline's `Ledger`: every call becomes a record that is sent until it has arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tollway.chat.v1 import chat_pb2
from tollway.metering.v1 import metering_pb2
from tollway_dialects.messages import DIALECT_NUMBERS, usage_to
from tollway_dialects.usage import Usage

from tollway_edge.adapters.batches import Batches
from tollway_edge.domain.call import CallStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tollway.metering.v1.metering_pb2_grpc import MeteringServiceAsyncStub

    from tollway_edge.domain.call import Call

SETTLE_SECONDS = 10.0
# records that are booked together share a transaction
BOOK_SECONDS = 0.2
_STATUSES = {
    CallStatus.RUNNING: metering_pb2.CALL_STATUS_FAILED,
    CallStatus.SUCCEEDED: metering_pb2.CALL_STATUS_SUCCEEDED,
    CallStatus.FAILED: metering_pb2.CALL_STATUS_FAILED,
    CallStatus.CANCELLED: metering_pb2.CALL_STATUS_CANCELLED,
}


class LedgerClient:
    """Books calls in batches."""

    def __init__(self, stub: MeteringServiceAsyncStub) -> None:
        self._stub = stub
        self.records: Batches[metering_pb2.CallRecord] = Batches(
            "ledger", self._send, interval=BOOK_SECONDS, retries=True
        )

    def record(self, call: Call) -> None:
        self.records.add(_record(call))

    async def _send(self, calls: list[metering_pb2.CallRecord]) -> None:
        await self._stub.SettleCalls(metering_pb2.SettleCallsRequest(calls=calls), timeout=SETTLE_SECONDS)


def _record(call: Call) -> metering_pb2.CallRecord:
    return metering_pb2.CallRecord(
        call_id=call.call_id,
        workspace=call.workspace.name if call.workspace else "",
        started_unix_ms=call.started_unix_ms,
        duration_ms=call.duration_ms(),
        time_to_first_byte_ms=call.time_to_first_byte_ms(),
        dialect=DIALECT_NUMBERS[call.dialect],
        is_streamed=call.is_stream,
        requested_model=call.requested_model,
        model=call.model,
        provider=call.provider,
        tier=call.tier,
        classifier=call.classifier,
        cache=call.cache,
        status=_STATUSES[call.status],
        http_status=call.http_status,
        reason=call.reason,
        usage=usage_to(call.usage),
        saved_micro_usd=call.saved_micro_usd,
        attempts=_attempts(call),
        prompt=call.prompt,
    )


def _attempts(call: Call) -> Sequence[chat_pb2.Attempt]:
    attempts = cast("Sequence[chat_pb2.Attempt]", call.attempts)
    has_ended = bool(attempts) and attempts[-1].outcome != chat_pb2.ATTEMPT_OUTCOME_UNSPECIFIED
    if has_ended or not call.is_dispatched or not (attempts or call.status is CallStatus.CANCELLED):
        return attempts
    # where the client left, or provider-dispatch was lost, nobody said the last word: the try that ran is closed here
    last = chat_pb2.Attempt(number=1, model=call.models[0], started_unix_ms=call.started_unix_ms)
    if attempts:
        last.CopyFrom(attempts[-1])
    is_cancelled = call.status is CallStatus.CANCELLED
    last.outcome = chat_pb2.ATTEMPT_OUTCOME_CANCELLED if is_cancelled else chat_pb2.ATTEMPT_OUTCOME_BROKEN
    last.reason = "client_left" if is_cancelled else "dispatch_lost"
    last.usage.CopyFrom(usage_to(call.usage if call.usage != Usage() else Usage(is_estimated=True)))
    last.duration_ms = max(0, call.started_unix_ms + call.duration_ms() - last.started_unix_ms)
    return [*attempts[:-1], last]
