"""Between ledger rows and the columns of the SQLite tables; used by `SqliteLedger` alone."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from tollway_dialects.usage import Usage

from tollway_metering.domain.calls import Attempt, BookedCall, Call, CallStatus, Charge

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

Values = tuple[str | int, ...]

_CALL_FIELDS = (
    "call_id",
    "workspace",
    "status",
    "started_unix_ms",
    "duration_ms",
    "time_to_first_byte_ms",
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
    "saved_micro_usd",
    "prompt",
)
_ATTEMPT_FIELDS = (
    "number",
    "provider",
    "model",
    "key_fingerprint",
    "http_status",
    "outcome",
    "reason",
    "started_unix_ms",
    "duration_ms",
)
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
CALL_COLUMNS = (*_CALL_FIELDS, "booked_unix_ms", *_MONEY_COLUMNS)
ATTEMPT_COLUMNS = (*_ATTEMPT_FIELDS, "call_id", *_MONEY_COLUMNS)
_call_fields = attrgetter(*_CALL_FIELDS)
_attempt_fields = attrgetter(*_ATTEMPT_FIELDS)


def call_values(row: BookedCall) -> Values:
    """Return what stands in `CALL_COLUMNS`."""
    return (*_call_fields(row.call), row.booked_unix_ms, *_money_values(row.call.usage, row.charge))


def attempt_values(row: BookedCall) -> Iterator[Values]:
    """Yield what stands in `ATTEMPT_COLUMNS`, for each attempt."""
    for attempt, charge in zip(row.call.attempts, row.attempt_charges, strict=True):
        yield (*_attempt_fields(attempt), row.call.call_id, *_money_values(attempt.usage, charge))


def to_booked_call(row: sqlite3.Row, attempts: Sequence[sqlite3.Row]) -> BookedCall:
    values = {name: row[name] for name in _CALL_FIELDS if name != "is_cache_hit"}
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
    return Attempt(**{name: row[name] for name in _ATTEMPT_FIELDS}, usage=to_usage(row))


def _to_charge(row: sqlite3.Row) -> Charge:
    return Charge(row["cost_micro_usd"], bool(row["is_unpriced"]))


def _money_values(usage: Usage, charge: Charge) -> Values:
    return (
        usage.uncached_input,
        usage.cache_write_short,
        usage.cache_write_long,
        usage.cache_read,
        usage.output,
        usage.reasoning,
        usage.is_estimated,
        charge.micro_usd,
        charge.is_unpriced,
    )
