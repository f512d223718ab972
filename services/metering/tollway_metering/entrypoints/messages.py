"""Between the contract's messages and the domain's values; checks what a caller could get wrong."""

from __future__ import annotations

import re
from dataclasses import asdict
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from tollway.chat.v1 import chat_pb2
from tollway.metering.v1 import metering_pb2
from tollway_dialects.messages import usage_from, usage_to
from tollway_servicekit.errors import InvalidRequest

from tollway_metering.domain.calls import Attempt, Call, CallStatus

if TYPE_CHECKING:
    from tollway_dialects.usage import Usage
    from tollway_pricing import PriceRow

    from tollway_metering.domain.calls import BookedCall
    from tollway_metering.domain.workspaces import Workspace

# far above any call, far below where a sum of many would leave 64 bits
_MOST_TOKENS = 10**9
_MOST_MICRO_USD = 10**12
# model names and the like come from clients; a row must stay small
_LONGEST_TEXT = 256
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

_call_fields = attrgetter(*_CALL_FIELDS)
_attempt_fields = attrgetter(*_ATTEMPT_FIELDS)


def is_call_id(text: str) -> bool:
    return _CALL_ID.fullmatch(text) is not None


def to_call(record: metering_pb2.CallRecord) -> Call:
    """
    Return the domain's call.

    Raises:
        InvalidRequest: The record breaks the contract; the message says where.
    """
    if not is_call_id(record.call_id):
        raise InvalidRequest("CALL_INVALID", "call_id must be 32 hex digits")
    if not 0 <= record.saved_micro_usd <= _MOST_MICRO_USD:
        raise InvalidRequest("CALL_INVALID", f"call {record.call_id}: saved_micro_usd is out of range")
    return Call(
        **dict(zip(_CALL_FIELDS, _clipped(_call_fields(record)), strict=True)),
        status=_to_status(record),
        dialect=_name(chat_pb2.Dialect, record.dialect, "DIALECT_"),
        usage=_to_usage(record.usage, record.call_id),
        attempts=tuple(_to_attempt(attempt, record.call_id) for attempt in record.attempts),
    )


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


def _to_usage(message: chat_pb2.Usage, call_id: str) -> Usage:
    usage = usage_from(message)
    parts = (usage.uncached_input, usage.cache_write_short, usage.cache_write_long, usage.cache_read, usage.output)
    if min(*parts, usage.reasoning) < 0 or max(*parts, usage.reasoning) > _MOST_TOKENS:
        raise InvalidRequest("CALL_INVALID", f"call {call_id}: a token count is negative or above {_MOST_TOKENS}")
    return usage


def _to_attempt(message: chat_pb2.Attempt, call_id: str) -> Attempt:
    return Attempt(
        **dict(zip(_ATTEMPT_FIELDS, _clipped(_attempt_fields(message)), strict=True)),
        outcome=_name(chat_pb2.AttemptOutcome, message.outcome, "ATTEMPT_OUTCOME_"),
        usage=_to_usage(message.usage, call_id),
    )


def _to_attempt_message(attempt: Attempt) -> chat_pb2.Attempt:
    return chat_pb2.Attempt(
        **{name: getattr(attempt, name) for name in _ATTEMPT_FIELDS},
        outcome=_value(chat_pb2.AttemptOutcome, attempt.outcome, "ATTEMPT_OUTCOME_"),
        usage=usage_to(attempt.usage),
    )


def _to_status(record: metering_pb2.CallRecord) -> CallStatus:
    try:
        return CallStatus(_name(metering_pb2.CallStatus, record.status, "CALL_STATUS_"))
    except ValueError:
        raise InvalidRequest("CALL_INVALID", f"call {record.call_id}: status must say how the call ended") from None


@cache
def _name(enum: Any, value: int, prefix: str) -> str:
    """Return an enum value as the ledger writes it; one that a newer caller knows and we do not is `unspecified`."""
    try:
        name: str = enum.Name(value)
    except ValueError:
        return "unspecified"
    return name.removeprefix(prefix).lower()


def _value(enum: Any, name: str, prefix: str) -> Any:
    return enum.Value(prefix + name.upper())


def _clipped(values: tuple[Any, ...]) -> list[Any]:
    return [value[:_LONGEST_TEXT] if value.__class__ is str else value for value in values]
