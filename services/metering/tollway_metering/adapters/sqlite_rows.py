"""Between ledger rows and the columns of the SQLite tables; used by `SqliteLedger` alone."""

from __future__ import annotations

from itertools import chain, repeat
from operator import attrgetter
from typing import TYPE_CHECKING

from tollway_dialects.usage import Usage

from tollway_metering.domain.calls import Attempt, BookedCall, Call, CallStatus, Charge

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from tollway_metering.domain.batch import AttemptColumns, CallColumns, ChargeColumns, PricedCalls, UsageColumns

Row = tuple[str | int, ...]

_MONEY = (
    "uncached_input_tokens",
    "cache_write_short_tokens",
    "cache_write_long_tokens",
    "cache_read_tokens",
    "output_tokens",
    "reasoning_tokens",
    "is_estimated",
    "cost_micro_usd",
    "is_unpriced",
)
_CALL_TIMES = ("started_unix_ms", "duration_ms", "time_to_first_byte_ms", "saved_micro_usd")
_ATTEMPT_TIMES = ("started_unix_ms", "duration_ms")

CALL_KIND = (
    "workspace",
    "status",
    "dialect",
    "is_streamed",
    "requested_model",
    "model",
    "provider",
    "tier",
    "classifier",
    "cache",
    "is_cache_hit",
    "http_status",
    "reason",
    "prompt",
)
CALL_FIGURES = (*_CALL_TIMES, *_MONEY, "booked_unix_ms")
ATTEMPT_KIND = ("number", "provider", "model", "key_fingerprint", "http_status", "outcome", "reason")
ATTEMPT_FIGURES = (*_ATTEMPT_TIMES, *_MONEY)
_call_kind = attrgetter(*CALL_KIND)
_attempt_kind = attrgetter(*ATTEMPT_KIND)


def call_kinds(calls: CallColumns) -> list[Row]:
    """Return what stands in `CALL_KIND`, for each kind."""
    return [_bindable(_call_kind(kind)) for kind in calls.kinds]


def attempt_kinds(attempts: AttemptColumns) -> list[Row]:
    """Return what stands in `ATTEMPT_KIND`, for each kind."""
    return [_bindable(_attempt_kind(kind)) for kind in attempts.kinds]


def call_rows(priced: PricedCalls, kind_ids: Sequence[int]) -> list[Row]:
    """Return call id, kind, workspace and what stands in `CALL_FIGURES`, for each call."""
    calls = priced.calls
    workspaces = [kind.workspace for kind in calls.kinds]
    columns = (
        calls.call_ids,
        map(kind_ids.__getitem__, calls.kind_indexes),
        map(workspaces.__getitem__, calls.kind_indexes),
        *(getattr(calls, name) for name in _CALL_TIMES),
        *_money(calls.usage, priced.charges),
    )
    return list(zip(*columns, repeat(priced.booked_unix_ms), strict=False))


def attempt_rows(priced: PricedCalls, kind_ids: Sequence[int]) -> list[Row]:
    """Return call id, kind and what stands in `ATTEMPT_FIGURES`, for each attempt."""
    attempts = priced.calls.attempts
    columns = (
        chain.from_iterable(map(repeat, priced.calls.call_ids, priced.calls.attempt_counts)),
        map(kind_ids.__getitem__, attempts.kind_indexes),
        *(getattr(attempts, name) for name in _ATTEMPT_TIMES),
        *_money(attempts.usage, priced.attempt_charges),
    )
    return list(zip(*columns, strict=True))


def to_booked_call(row: sqlite3.Row, attempts: Sequence[sqlite3.Row]) -> BookedCall:
    values = {name: row[name] for name in Call.__struct_fields__ if name not in {"usage", "attempts"}}
    values["status"] = CallStatus(row["status"])
    values["is_streamed"] = bool(row["is_streamed"])
    call = Call(**values, usage=to_usage(row), attempts=tuple(_to_attempt(attempt) for attempt in attempts))
    return BookedCall(call, _to_charge(row), tuple(_to_charge(attempt) for attempt in attempts), row["booked_unix_ms"])


def to_usage(row: sqlite3.Row) -> Usage:
    return Usage(
        uncached_input=row["uncached_input_tokens"],
        cache_write_short=row["cache_write_short_tokens"],
        cache_write_long=row["cache_write_long_tokens"],
        cache_read=row["cache_read_tokens"],
        output=row["output_tokens"],
        reasoning=row["reasoning_tokens"],
        is_estimated=bool(row["is_estimated"]),
    )


def _to_attempt(row: sqlite3.Row) -> Attempt:
    return Attempt(**{name: row[name] for name in (*ATTEMPT_KIND, *_ATTEMPT_TIMES)}, usage=to_usage(row))


def _to_charge(row: sqlite3.Row) -> Charge:
    return Charge(row["cost_micro_usd"], bool(row["is_unpriced"]))


def _money(usage: UsageColumns, charges: ChargeColumns) -> Iterator[Iterable[int]]:
    yield from usage.counts()
    yield map(int, usage.is_estimated)
    yield charges.micro_usd
    yield map(int, charges.is_unpriced)


def _bindable(values: Sequence[str | int]) -> Row:
    """Return values of the very types that SQLite takes; those of a subclass it would ask for an adapter, each time."""
    return tuple(str(value) if isinstance(value, str) else int(value) for value in values)
