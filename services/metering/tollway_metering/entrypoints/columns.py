"""The contract's columns of finished calls as the domain's; checks what a caller could get wrong."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from tollway.chat.v1 import chat_pb2
from tollway.metering.v1 import metering_pb2
from tollway_servicekit.errors import InvalidRequest

from tollway_metering.domain.batch import AttemptColumns, AttemptKind, CallColumns, CallKind, UsageColumns
from tollway_metering.domain.calls import CallStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# far above any call, far below where a sum of many would leave 64 bits
_MOST_TOKENS = 10**9
_MOST_MICRO_USD = 10**12
# model names and the like come from clients; a row must stay small
_LONGEST_TEXT = 256
_CALL_ID_BYTES = 16

# what has the same name and type in the contract and in the domain
_CALL_KIND = (
    "workspace",
    "is_streamed",
    "requested_model",
    "model",
    "provider",
    "tier",
    "classifier",
    "cache",
    "http_status",
    "reason",
    "prompt",
)
_CALL_FIGURES = (
    "kind_indexes",
    "started_unix_ms",
    "duration_ms",
    "time_to_first_byte_ms",
    "saved_micro_usd",
    "attempt_counts",
)
_ATTEMPT_KIND = ("number", "provider", "model", "key_fingerprint", "http_status", "reason")
_ATTEMPT_FIGURES = ("kind_indexes", "started_unix_ms", "duration_ms")
_USAGE_FIELDS = [field.name for field in chat_pb2.Usage.DESCRIPTOR.fields]


def to_calls(message: metering_pb2.CallColumns) -> CallColumns:
    """
    Return the domain's columns.

    Raises:
        InvalidRequest: They break the contract; the message says where.
    """
    ids = message.call_ids[:]
    if set(map(len, ids)) - {_CALL_ID_BYTES}:
        raise InvalidRequest("CALL_INVALID", f"a call id must have {_CALL_ID_BYTES} bytes")
    call_ids = list(map(bytes.hex, ids))
    figures = _columns(message, _CALL_FIGURES, len(call_ids))
    usage = _to_usage(message.usage, call_ids.__getitem__, len(call_ids))
    calls = CallColumns(
        call_ids=call_ids,
        kinds=[_to_call_kind(kind) for kind in message.kinds],
        **figures,
        usage=usage,
        attempts=_to_attempts(message, figures["attempt_counts"], call_ids, usage),
    )
    _check_range("its kind", calls.kind_indexes, len(calls.kinds) - 1, call_ids.__getitem__)
    _check_range("saved_micro_usd", calls.saved_micro_usd, _MOST_MICRO_USD, call_ids.__getitem__)
    return calls


def _to_attempts(
    calls: metering_pb2.CallColumns, counts: Sequence[int], call_ids: Sequence[str], of_calls: UsageColumns
) -> AttemptColumns:
    message = calls.attempts
    _check_range("attempt_counts", counts, len(message.kind_indexes), call_ids.__getitem__)

    def owner(place: int) -> str:
        return call_ids[bisect_right(list(accumulate(counts)), place)]

    size = sum(counts)
    is_same = size == len(call_ids) and message.usage == calls.usage  # most attempts are their calls' only ones
    attempts = AttemptColumns(
        kinds=[_to_attempt_kind(kind) for kind in message.kinds],
        **_columns(message, _ATTEMPT_FIGURES, size),
        usage=of_calls if is_same else _to_usage(message.usage, owner, size),
    )
    _check_range("the kind of an attempt", attempts.kind_indexes, len(attempts.kinds) - 1, owner)
    return attempts


def _to_usage(message: metering_pb2.UsageColumns, owner: Callable[[int], str], size: int) -> UsageColumns:
    usage = UsageColumns(*_columns(message, _USAGE_FIELDS, size).values())
    for counts in filter(any, usage.counts()):  # most are all 0
        _check_range("a token count", counts, _MOST_TOKENS, owner)
    return usage


def _to_call_kind(message: metering_pb2.CallKind) -> CallKind:
    try:
        status = CallStatus(_name(metering_pb2.CallStatus, message.status, "CALL_STATUS_"))
    except ValueError:
        raise InvalidRequest("CALL_INVALID", "a call's status must say how it ended") from None
    return CallKind(
        **_fields(message, _CALL_KIND), status=status, dialect=_name(chat_pb2.Dialect, message.dialect, "DIALECT_")
    )


def _to_attempt_kind(message: metering_pb2.AttemptKind) -> AttemptKind:
    outcome = _name(chat_pb2.AttemptOutcome, message.outcome, "ATTEMPT_OUTCOME_")
    return AttemptKind(**_fields(message, _ATTEMPT_KIND), outcome=outcome)


def _fields(message: Any, names: Sequence[str]) -> dict[str, Any]:
    values = ((name, getattr(message, name)) for name in names)
    return {name: value[:_LONGEST_TEXT] if isinstance(value, str) else value for name, value in values}


def _columns(message: Any, names: Sequence[str], size: int) -> dict[str, list[Any]]:
    # a slice of a repeated field is a list, made faster than by a loop over it
    columns = {name: getattr(message, name)[:] for name in names}
    for name, column in columns.items():
        if len(column) != size:
            raise InvalidRequest("CALL_INVALID", f"column {name} has {len(column)} values where there should be {size}")
    return columns


def _check_range(what: str, column: Sequence[int], most: int, owner: Callable[[int], str]) -> None:
    if column and (min(column) < 0 or max(column) > most):
        place = next(place for place, value in enumerate(column) if not 0 <= value <= most)
        raise InvalidRequest("CALL_INVALID", f"call {owner(place)}: {what} is negative or above {most}")


def _name(enum: Any, value: int, prefix: str) -> str:
    """Return an enum value as the ledger writes it; one that a newer caller knows and we do not is `unspecified`."""
    try:
        name: str = enum.Name(value)
    except ValueError:
        return "unspecified"
    return name.removeprefix(prefix).lower()
