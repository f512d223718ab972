"""The domain's values as the contract's messages; `columns.py` goes the other way."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tollway.chat.v1 import chat_pb2
from tollway.metering.v1 import metering_pb2
from tollway_dialects.messages import usage_to

if TYPE_CHECKING:
    from tollway_pricing import PriceRow

    from tollway_metering.domain.calls import Attempt, BookedCall
    from tollway_metering.domain.workspaces import Workspace

_CALL_ID = re.compile("[0-9a-f]{32}")

# what has the same name and type in the contract and in the domain
_CALL_FIELDS = (
    "call_id",
    "workspace",
    "started_unix_ms",
    "duration_ms",
    "time_to_first_byte_ms",
    "is_streamed",
    "requested_model",
    "model",
    "provider",
    "tier",
    "classifier",
    "cache",
    "http_status",
    "reason",
    "saved_micro_usd",
    "prompt",
)
_ATTEMPT_FIELDS = (
    "number",
    "provider",
    "model",
    "key_fingerprint",
    "http_status",
    "reason",
    "started_unix_ms",
    "duration_ms",
)


def is_call_id(text: str) -> bool:
    return _CALL_ID.fullmatch(text) is not None


def to_booked_message(row: BookedCall) -> metering_pb2.BookedCall:
    call = row.call
    record = metering_pb2.CallRecord(
        **{name: getattr(call, name) for name in _CALL_FIELDS},
        status=_value(metering_pb2.CallStatus, call.status, "CALL_STATUS_"),
        dialect=_value(chat_pb2.Dialect, call.dialect, "DIALECT_"),
        usage=usage_to(call.usage),
        attempts=map(_to_attempt_message, call.attempts),
    )
    return metering_pb2.BookedCall(call=record, cost_micro_usd=row.charge.micro_usd, is_unpriced=row.charge.is_unpriced)


def to_price_message(row: PriceRow) -> metering_pb2.PriceRow:
    return metering_pb2.PriceRow(**asdict(row))


def to_workspace_message(workspace: Workspace) -> metering_pb2.Workspace:
    return metering_pb2.Workspace(**asdict(workspace))


def _to_attempt_message(attempt: Attempt) -> chat_pb2.Attempt:
    return chat_pb2.Attempt(
        **{name: getattr(attempt, name) for name in _ATTEMPT_FIELDS},
        outcome=_value(chat_pb2.AttemptOutcome, attempt.outcome, "ATTEMPT_OUTCOME_"),
        usage=usage_to(attempt.usage),
    )


def _value(enum: Any, name: str, prefix: str) -> Any:
    return enum.Value(prefix + name.upper())
