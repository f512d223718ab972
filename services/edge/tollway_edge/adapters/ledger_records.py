"""
What is kept of a call until it is booked and counted; `ledger_columns` is the form in which records leave.

Little is kept, and what many calls have in common once: what waits here is memory that the next calls find cold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from tollway.chat.v1 import chat_pb2
from tollway_dialects.messages import usage_from
from tollway_dialects.usage import Usage

from tollway_edge.domain.call import CANCELLED

if TYPE_CHECKING:
    from tollway_dialects.dialect import Dialect

    from tollway_edge.domain.call import Call, CallStatus

_UNTOLD = frozenset({"running", chat_pb2.ATTEMPT_OUTCOME_UNSPECIFIED})

MOST_KINDS = 4096
"""A client's name of a model is part of a kind, so there may be any number."""

Values = tuple[Any, ...]


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
        # written out here and in `kinds_of`: Python knows where each field is, an `attrgetter` looks for it
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
            for each, kind in zip(attempts, kinds_of(attempts), strict=True)
        ]


def _known(kinds: dict[Values, Any], values: Values, kind: Any) -> Any:
    """Return a kind that is known from now on."""
    if len(kinds) >= MOST_KINDS:
        kinds.clear()
    kinds[values] = kind
    return kind


def kinds_of(attempts: Sequence[Any]) -> list[Values]:
    """Return what each has in common with others, in the order of the contract's AttemptKind."""
    return [
        (each.number, each.provider, each.model, each.key_fingerprint, each.http_status, each.outcome, each.reason)
        for each in attempts
    ]


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
    (known,) = kinds_of([last])
    kind = (*known[:-2], outcome, broken_off)
    return [*told[:-1], Attempted(started, duration, _usage_of_last(call, told), *kind)]


def _usage_of_last(call: Call, told: Sequence[Any]) -> Usage:
    """Return what the try that ran is taken to have used: what it told itself, else the call's where it is alone."""
    if told and told[-1].usage != Usage():
        usage: Usage = told[-1].usage
        return usage
    return call.usage if len(told) <= 1 and call.usage != Usage() else Usage(is_estimated=True)
