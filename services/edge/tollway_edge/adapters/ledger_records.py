"""
What is kept of a call until it is booked and counted, and the columns in which records leave for the ledger.

Little is kept, and what many calls have in common once: what waits here is memory that the next calls find cold.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from tollway.chat.v1 import chat_pb2
from tollway.metering.v1 import metering_pb2
from tollway_dialects.messages import DIALECT_NUMBERS, usage_from
from tollway_dialects.usage import Usage

from tollway_edge.domain.call import CANCELLED, FAILED, RUNNING, SUCCEEDED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tollway_dialects.dialect import Dialect

    from tollway_edge.domain.call import Call, CallStatus

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
_UNTOLD = frozenset({"running", chat_pb2.ATTEMPT_OUTCOME_UNSPECIFIED})

# in the order of `Usage`
_USAGE = [field.name for field in chat_pb2.Usage.DESCRIPTOR.fields]

MOST_KINDS = 4096
"""A client's name of a model is part of a kind, so there may be any number."""

Values = tuple[Any, ...]
Hashed = TypeVar("Hashed")


class Attempted(msgspec.Struct, frozen=True):
    """An attempt that came in a message, or is closed here; provider-dispatch in this process has values with these."""

    started_unix_ms: int
    duration_ms: int
    usage: Usage
    number: int
    provider: str
    model: str
    key_fingerprint: str = ""
    http_status: int = 0
    outcome: int = chat_pb2.ATTEMPT_OUTCOME_UNSPECIFIED
    reason: str = ""


class Kind(msgspec.Struct, eq=False):
    """What many calls have in common, in the order of `Records.of`; the last two are for the meter alone."""

    workspace: str
    dialect: Dialect
    is_streamed: bool
    requested_model: str
    model: str
    provider: str
    tier: str
    classifier: str
    cache: str
    status: CallStatus
    http_status: int
    reason: str
    prompt: str
    fallback: str
    is_last_resort: bool


Record = tuple[Kind, str, int, float, float, Usage, int, Sequence[Any], "int | None"]
"""What stays of a call that has ended, in the order of `Records.of`; a plain tuple, since `zip` makes columns of it."""


class Records:
    """Makes records of ended calls."""

    def __init__(self) -> None:
        self._kinds: dict[Values, Kind] = {}
        self._attempt_kinds: dict[Values, Values] = {}

    def of(self, call: Call, cost_micro_usd: int | None) -> Record:
        # written out here and in `_kinds_of`: Python knows where each field is, an `attrgetter` looks for it
        values = (
            call.workspace.name if call.workspace else "",
            call.dialect,
            call.is_stream,
            call.requested_model,
            call.model,
            call.provider,
            call.tier,
            call.classifier,
            call.cache,
            call.status,
            call.http_status,
            call.reason,
            call.prompt,
            call.fallback,
            call.is_last_resort,
        )
        kind = self._kinds.get(values)
        if kind is None:
            kind = _known(self._kinds, values, Kind(*values))
        return (
            kind,
            call.call_id,
            call.started_unix_ms,
            call.seconds,
            call.first_byte - call.started if call.first_byte else 0.0,
            call.usage,
            call.saved_micro_usd,
            self._attempts(call) if call.attempts or call.is_dispatched else (),
            cost_micro_usd,
        )

    def _attempts(self, call: Call) -> Sequence[Any]:
        """Return the tries of a call, none of which runs any more."""
        told: Sequence[Any] = call.attempts
        if told and type(told[-1].usage) is not Usage:
            told = self._values(told)
        return told if told and told[-1].outcome not in _UNTOLD else _closed(call, told)

    def _values(self, attempts: Sequence[Any]) -> Sequence[Any]:
        """Return attempts as values: a message would hold the answer that it came with."""
        kinds = self._attempt_kinds
        return [
            Attempted(
                each.started_unix_ms,
                each.duration_ms,
                usage_from(each.usage),
                *(kinds.get(kind) or _known(kinds, kind, kind)),
            )
            for each, kind in zip(attempts, _kinds_of(attempts), strict=True)
        ]


def _known(kinds: dict[Values, Any], values: Values, kind: Any) -> Any:
    """Return a kind that is known from now on."""
    if len(kinds) >= MOST_KINDS:
        kinds.clear()
    kinds[values] = kind
    return kind


def to_request(records: Sequence[Record]) -> metering_pb2.SettleCallsRequest:
    """Return what books them; a field that is given as a dict is filled where it is, a message would be copied."""
    kinds, call_ids, started, seconds, first_byte, usages, saved, attempts, _ = zip(*records, strict=True)
    distinct, indexes = _distinct(kinds)
    tried = list(chain.from_iterable(attempts))
    spent, usage = [each.usage for each in tried], _usage_columns(usages)
    columns: Any = {
        "kinds": [_to_kind(kind) for kind in distinct],
        "kind_indexes": indexes,
        "call_ids": map(bytes.fromhex, call_ids),
        "started_unix_ms": started,
        "duration_ms": [round(each * 1000) for each in seconds],
        "time_to_first_byte_ms": [round(each * 1000) or 1 if each else 0 for each in first_byte],
        "usage": usage,
        "saved_micro_usd": saved,
        "attempt_counts": map(len, attempts),
        "attempts": _attempt_columns(tried, usage if spent == list(usages) else _usage_columns(spent)),
    }
    return metering_pb2.SettleCallsRequest(columns=columns)


def _attempt_columns(attempts: Sequence[Any], usage: dict[str, Any]) -> dict[str, Any]:
    distinct, indexes = _distinct(_kinds_of(attempts))
    return {
        "kinds": [_to_attempt_kind(kind) for kind in distinct],
        "kind_indexes": indexes,
        "started_unix_ms": [each.started_unix_ms for each in attempts],
        "duration_ms": [each.duration_ms for each in attempts],
        "usage": usage,
    }


def _kinds_of(attempts: Sequence[Any]) -> list[Values]:
    """Return what each has in common with others, in the order of `_ATTEMPT_KIND`."""
    return [
        (each.number, each.provider, each.model, each.key_fingerprint, each.http_status, each.outcome, each.reason)
        for each in attempts
    ]


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


def _closed(call: Call, told: Sequence[Any]) -> Sequence[Any]:
    """Return the tries of a call of which nobody said the last word: the client left, or provider-dispatch was lost."""
    if not call.is_dispatched or not (told or call.status is CANCELLED):
        return told
    last = told[-1] if told else Attempted(0, 0, Usage(), 1, "", call.models[0])
    is_cancelled = call.status is CANCELLED
    outcome = chat_pb2.ATTEMPT_OUTCOME_CANCELLED if is_cancelled else chat_pb2.ATTEMPT_OUTCOME_BROKEN
    broken_off = "client_left" if is_cancelled else "dispatch_lost"
    started = last.started_unix_ms or call.started_unix_ms
    duration = max(0, call.started_unix_ms + round(call.seconds * 1000) - started)
    (known,) = _kinds_of([last])
    kind = (*known[:-2], outcome, broken_off)
    return [*told[:-1], Attempted(started, duration, _usage_of_last(call, told), *kind)]


def _usage_of_last(call: Call, told: Sequence[Any]) -> Usage:
    """Return what the try that ran is taken to have used: what it told itself, else the call's where it is alone."""
    if told and told[-1].usage != Usage():
        usage: Usage = told[-1].usage
        return usage
    return call.usage if len(told) <= 1 and call.usage != Usage() else Usage(is_estimated=True)


def _to_attempt_kind(kind: Values) -> metering_pb2.AttemptKind:
    *about, outcome, reason = kind
    return metering_pb2.AttemptKind(
        **dict(zip(_ATTEMPT_KIND, (*about, _OUTCOMES.get(outcome, outcome), reason), strict=True))
    )
