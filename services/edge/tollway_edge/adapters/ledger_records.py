"""
What is kept of a call until it is booked, and the columns in which records leave.

Little is kept, and what many calls have in common once: what waits here is memory that the next calls find cold.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from tollway.chat.v1 import chat_pb2
from tollway.metering.v1 import metering_pb2
from tollway_dialects.messages import DIALECT_NUMBERS, usage_from
from tollway_dialects.usage import Usage

from tollway_edge.domain.call import CANCELLED, FAILED, RUNNING, SUCCEEDED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tollway_edge.domain.call import Call

_STATUSES = {
    RUNNING: metering_pb2.CALL_STATUS_FAILED,
    SUCCEEDED: metering_pb2.CALL_STATUS_SUCCEEDED,
    FAILED: metering_pb2.CALL_STATUS_FAILED,
    CANCELLED: metering_pb2.CALL_STATUS_CANCELLED,
}
_ATTEMPT_KIND = [field.name for field in metering_pb2.AttemptKind.DESCRIPTOR.fields]
# an attempt comes as a message, or as a value of provider-dispatch in this process, whose outcomes have names
_OUTCOMES = {
    "running": chat_pb2.ATTEMPT_OUTCOME_UNSPECIFIED,
    "succeeded": chat_pb2.ATTEMPT_OUTCOME_SUCCEEDED,
    "refused": chat_pb2.ATTEMPT_OUTCOME_REFUSED,
    "broken": chat_pb2.ATTEMPT_OUTCOME_BROKEN,
}
_UNTOLD = ("running", chat_pb2.ATTEMPT_OUTCOME_UNSPECIFIED)

# one attrgetter takes many values at the speed of C
_call_kind = attrgetter(
    "workspace.name",
    "dialect",
    "is_stream",
    "requested_model",
    "model",
    "provider",
    "tier",
    "classifier",
    "cache",
    "status",
    "http_status",
    "reason",
    "prompt",
)
# in the order of `Usage`
_USAGE = [field.name for field in chat_pb2.Usage.DESCRIPTOR.fields]
_counts = attrgetter(*Usage.__struct_fields__)
_attempt_kind = attrgetter(*_ATTEMPT_KIND)

MOST_KINDS = 4096
"""A client's name of a model is part of a kind, so there may be any number."""

Values = tuple[Any, ...]

Attempted = tuple[Values, int, int, Usage]
"""Kind of an attempt, its start and duration, and its usage."""

Record = tuple[Values, str, int, int, int, Usage, int, Sequence[Attempted]]
"""What stays of a call that has ended, in the order of `Records.of`; a plain tuple, since `zip` makes columns of it."""


class Records:
    """Makes records of ended calls."""

    def __init__(self) -> None:
        self._kinds: dict[Values, Values] = {}

    def of(self, call: Call) -> Record:
        kind, kinds = _call_kind(call), self._kinds
        if len(kinds) > MOST_KINDS:
            kinds.clear()
        return (
            kinds.setdefault(kind, kind),
            call.call_id,
            call.started_unix_ms,
            round(call.seconds * 1000),
            call.time_to_first_byte_ms(),
            call.usage,
            call.saved_micro_usd,
            _attempts(call, kinds) if call.attempts or call.is_dispatched else (),
        )


def to_columns(records: Sequence[Record]) -> metering_pb2.CallColumns:
    kinds, call_ids, started, duration, first_byte, usages, saved, attempts = zip(*records, strict=True)
    distinct, indexes = _distinct(kinds)
    return metering_pb2.CallColumns(
        kinds=[_to_kind(kind) for kind in distinct],
        kind_indexes=indexes,
        call_ids=map(bytes.fromhex, call_ids),
        started_unix_ms=started,
        duration_ms=duration,
        time_to_first_byte_ms=first_byte,
        usage=_usage_columns(usages),
        saved_micro_usd=saved,
        attempt_counts=map(len, attempts),
        attempts=_attempt_columns(list(chain.from_iterable(attempts))),
    )


def _attempt_columns(attempts: Sequence[Attempted]) -> metering_pb2.AttemptColumns | None:
    if not attempts:
        return None
    kinds, started, duration, usages = zip(*attempts, strict=True)
    distinct, indexes = _distinct(kinds)
    return metering_pb2.AttemptColumns(
        kinds=[_to_attempt_kind(kind) for kind in distinct],
        kind_indexes=indexes,
        started_unix_ms=started,
        duration_ms=duration,
        usage=_usage_columns(usages),
    )


def _usage_columns(usages: Iterable[Usage]) -> metering_pb2.UsageColumns:
    columns = zip(*map(_counts, usages), strict=True)
    return metering_pb2.UsageColumns(**dict(zip(_USAGE, columns, strict=True)))


def _distinct(kinds: Iterable[Values]) -> tuple[Iterable[Values], list[int]]:
    """Return each kind once, and where among them each one stands."""
    places: dict[Values, int] = {}
    indexes = [places.setdefault(kind, len(places)) for kind in kinds]
    return places, indexes


def _to_kind(kind: Values) -> metering_pb2.CallKind:
    workspace, dialect, is_streamed, requested, model, provider, tier, classifier, cache, status, *rest = kind
    http_status, reason, prompt = rest
    return metering_pb2.CallKind(
        workspace=workspace,
        dialect=DIALECT_NUMBERS[dialect],
        is_streamed=is_streamed,
        requested_model=requested,
        model=model,
        provider=provider,
        tier=tier,
        classifier=classifier,
        cache=cache,
        status=_STATUSES[status],
        http_status=http_status,
        reason=reason,
        prompt=prompt,
    )


def _attempts(call: Call, kinds: dict[Values, Values]) -> list[Attempted]:
    attempts = cast("Sequence[Any]", call.attempts)
    told = [
        (kinds.setdefault(kind := _attempt_kind(each), kind), each.started_unix_ms, each.duration_ms, _usage_of(each))
        for each in attempts
    ]
    has_ended = bool(attempts) and attempts[-1].outcome not in _UNTOLD
    if has_ended or not call.is_dispatched or not (attempts or call.status is CANCELLED):
        return told
    # where the client left, or provider-dispatch was lost, nobody said the last word: the try that ran is closed here
    last = attempts[-1] if attempts else chat_pb2.Attempt(number=1, model=call.models[0])
    is_cancelled = call.status is CANCELLED
    outcome = chat_pb2.ATTEMPT_OUTCOME_CANCELLED if is_cancelled else chat_pb2.ATTEMPT_OUTCOME_BROKEN
    broken_off = "client_left" if is_cancelled else "dispatch_lost"
    kind = (*_attempt_kind(last)[:-2], outcome, broken_off)
    started = last.started_unix_ms or call.started_unix_ms
    duration = max(0, call.started_unix_ms + round(call.seconds * 1000) - started)
    return [*told[:-1], (kind, started, duration, _usage_of_last(call, told))]


def _usage_of_last(call: Call, told: Sequence[Attempted]) -> Usage:
    """Return what the try that ran is taken to have used: what it told itself, else the call's where it is alone."""
    if told and told[-1][3] != Usage():
        return told[-1][3]
    return call.usage if len(told) <= 1 and call.usage != Usage() else Usage(is_estimated=True)


def _usage_of(attempt: Any) -> Usage:
    """Return the counts of a value of provider-dispatch, or of a message."""
    usage = attempt.usage
    return usage if type(usage) is Usage else usage_from(usage)


def _to_attempt_kind(kind: Values) -> metering_pb2.AttemptKind:
    *about, outcome, reason = kind
    return metering_pb2.AttemptKind(
        **dict(zip(_ATTEMPT_KIND, (*about, _OUTCOMES.get(outcome, outcome), reason), strict=True))
    )
