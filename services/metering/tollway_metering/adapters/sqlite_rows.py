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

    from tollway_metering.domain.batch import ChargeColumns, PricedCalls, UsageColumns

Row = tuple[str | int, ...]

_CALL_KIND = (
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
_CALL_FIGURES = ("started_unix_ms", "duration_ms", "time_to_first_byte_ms", "saved_micro_usd")
_ATTEMPT_KIND = ("number", "provider", "model", "key_fingerprint", "http_status", "outcome", "reason")
_ATTEMPT_FIGURES = ("started_unix_ms", "duration_ms")
_MONEY_COLUMNS = (
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
CALL_COLUMNS = ("call_id", *_CALL_KIND, *_CALL_FIGURES, *_MONEY_COLUMNS, "booked_unix_ms")
ATTEMPT_COLUMNS = ("call_id", *_ATTEMPT_KIND, *_ATTEMPT_FIGURES, *_MONEY_COLUMNS)
_call_kind = attrgetter(*_CALL_KIND)
_attempt_kind = attrgetter(*_ATTEMPT_KIND)


def call_rows(priced: PricedCalls) -> list[Row]:
    """Return what stands in `CALL_COLUMNS`, for each call."""
    calls = priced.calls
    kinds = [_bindable(_call_kind(kind)) for kind in calls.kinds]
    figures = zip(
        *(getattr(calls, name) for name in _CALL_FIGURES),
        *_money(calls.usage, priced.charges),
        repeat(priced.booked_unix_ms),
        strict=False,
    )
    columns = zip(calls.call_ids, calls.kind_indexes, figures, strict=True)
    return [(call_id, *kinds[index], *rest) for call_id, index, rest in columns]


def attempt_rows(priced: PricedCalls) -> list[Row]:
    """Return what stands in `ATTEMPT_COLUMNS`, for each attempt."""
    attempts = priced.calls.attempts
    kinds = [_bindable(_attempt_kind(kind)) for kind in attempts.kinds]
    figures = zip(
        *(getattr(attempts, name) for name in _ATTEMPT_FIGURES),
        *_money(attempts.usage, priced.attempt_charges),
        strict=True,
    )
    call_ids = chain.from_iterable(map(repeat, priced.calls.call_ids, priced.calls.attempt_counts))
    columns = zip(call_ids, attempts.kind_indexes, figures, strict=True)
    return [(call_id, *kinds[index], *rest) for call_id, index, rest in columns]


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
    return Attempt(**{name: row[name] for name in (*_ATTEMPT_KIND, *_ATTEMPT_FIGURES)}, usage=to_usage(row))


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
