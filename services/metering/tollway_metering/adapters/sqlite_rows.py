"""Between ledger rows and the columns of the SQLite tables; used by `SqliteLedger` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.usage import Usage

from tollway_metering.domain.calls import Attempt, BookedCall, Call, CallStatus, Charge

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

Values = dict[str, str | int]

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


def call_values(row: BookedCall) -> Values:
    values = {name: getattr(row.call, name) for name in _CALL_FIELDS}
    return values | {"booked_unix_ms": row.booked_unix_ms} | _money_values(row.call.usage, row.charge)


def attempt_values(row: BookedCall) -> Iterator[Values]:
    for attempt, charge in zip(row.call.attempts, row.attempt_charges, strict=True):
        values = {name: getattr(attempt, name) for name in _ATTEMPT_FIELDS}
        yield values | {"call_id": row.call.call_id} | _money_values(attempt.usage, charge)


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
    return {
        "uncached_input_tokens": usage.uncached_input,
        "cache_write_short_tokens": usage.cache_write_short,
        "cache_write_long_tokens": usage.cache_write_long,
        "cache_read_tokens": usage.cache_read,
        "output_tokens": usage.output,
        "reasoning_tokens": usage.reasoning,
        "is_estimated": usage.is_estimated,
        "cost_micro_usd": charge.micro_usd,
        "is_unpriced": charge.is_unpriced,
    }
