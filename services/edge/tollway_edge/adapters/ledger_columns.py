"""The columns in which records leave for the ledger; used by `ledger_client`."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from tollway.chat.v1 import chat_pb2
from tollway.metering.v1 import metering_pb2
from tollway_dialects.messages import DIALECT_NUMBERS
from tollway_servicekit.protobuf_wire import field_of

from tollway_edge.adapters.ledger_records import kinds_of
from tollway_edge.domain.call import CANCELLED, FAILED, RUNNING, SUCCEEDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tollway_dialects.usage import Usage

    from tollway_edge.adapters.ledger_records import Kind, Record, Values

_STATUSES = {
    RUNNING: metering_pb2.CALL_STATUS_FAILED,
    SUCCEEDED: metering_pb2.CALL_STATUS_SUCCEEDED,
    FAILED: metering_pb2.CALL_STATUS_FAILED,
    CANCELLED: metering_pb2.CALL_STATUS_CANCELLED,
}
# what has the same name and type in the contract
_CALL_KIND = [field.name for field in metering_pb2.CallKind.DESCRIPTOR.fields if not field.enum_type]
_ATTEMPT_KIND = [field.name for field in metering_pb2.AttemptKind.DESCRIPTOR.fields]
# an attempt comes as a message, or as a value of provider-dispatch in this process, whose outcomes have names
_OUTCOMES = {
    "running": chat_pb2.ATTEMPT_OUTCOME_UNSPECIFIED,
    "succeeded": chat_pb2.ATTEMPT_OUTCOME_SUCCEEDED,
    "refused": chat_pb2.ATTEMPT_OUTCOME_REFUSED,
    "broken": chat_pb2.ATTEMPT_OUTCOME_BROKEN,
}
# in the order of `Usage`
_USAGE = [field.name for field in chat_pb2.Usage.DESCRIPTOR.fields]

Hashed = TypeVar("Hashed")


def to_request(records: Sequence[Record]) -> metering_pb2.SettleCallsRequest:
    """Return what books them; all is filled where it is, since a message that is put into another one is copied."""
    kinds, call_ids, started, seconds, first_byte, usages, saved, attempts, _ = zip(*records, strict=True)
    distinct, indexes = _distinct(kinds)
    request = metering_pb2.SettleCallsRequest()
    columns = request.columns
    columns.call_ids.extend(map(bytes.fromhex, call_ids))
    columns.kinds.extend(map(_to_kind, distinct))
    figures: dict[str, Sequence[int]] = {
        "kind_indexes": indexes,
        "started_unix_ms": started,
        "duration_ms": [round(each * 1000) for each in seconds],
        "time_to_first_byte_ms": [round(each * 1000) or 1 if each else 0 for each in first_byte],
        "saved_micro_usd": saved,
        "attempt_counts": list(map(len, attempts)),
    }
    _fill(columns, figures)
    _fill(columns.usage, _usage_columns(usages))
    tried = list(chain.from_iterable(attempts))
    _fill_attempts(columns.attempts, tried)
    spent = [each.usage for each in tried]
    if spent == list(usages):  # most attempts are their calls' only ones
        columns.attempts.usage.CopyFrom(columns.usage)
    else:
        _fill(columns.attempts.usage, _usage_columns(spent))
    return request


def _fill_attempts(columns: metering_pb2.AttemptColumns, attempts: Sequence[Any]) -> None:
    distinct, indexes = _distinct(kinds_of(attempts))
    columns.kinds.extend(map(_to_attempt_kind, distinct))
    figures: dict[str, Sequence[int]] = {
        "kind_indexes": indexes,
        "started_unix_ms": [each.started_unix_ms for each in attempts],
        "duration_ms": [each.duration_ms for each in attempts],
    }
    _fill(columns, figures)


def _usage_columns(usages: Sequence[Usage]) -> dict[str, Any]:
    return dict(zip(_USAGE, zip(*map(msgspec.structs.astuple, usages), strict=True), strict=bool(usages)))


def _distinct(kinds: Iterable[Hashed]) -> tuple[Iterable[Hashed], list[int]]:
    """Return each kind once, and where among them each one stands."""
    places: dict[Hashed, int] = {}
    indexes = [places.setdefault(kind, len(places)) for kind in kinds]
    return places, indexes


def _to_kind(kind: Kind) -> metering_pb2.CallKind:
    same = {name: getattr(kind, name) for name in _CALL_KIND}
    return metering_pb2.CallKind(**same, dialect=DIALECT_NUMBERS[kind.dialect], status=_STATUSES[kind.status])


def _to_attempt_kind(kind: Values) -> metering_pb2.AttemptKind:
    *about, outcome, reason = kind
    return metering_pb2.AttemptKind(
        **dict(zip(_ATTEMPT_KIND, (*about, _OUTCOMES.get(outcome, outcome), reason), strict=True))
    )


def _fill(message: Any, columns: Mapping[str, Sequence[int]]) -> None:
    """Write columns of numbers; one that is all 0 as the bytes that it is on the wire, in one step for all its rows."""
    zeros = []
    for name, column in columns.items():
        if any(column):
            getattr(message, name).extend(column)
        elif column:
            number = message.DESCRIPTOR.fields_by_name[name].number
            zeros.append(field_of(number, len(column)) + bytes(len(column)))
    message.MergeFromString(b"".join(zeros))
