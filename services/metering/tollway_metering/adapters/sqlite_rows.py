"""Between ledger rows and the columns of the SQLite tables; used by `SqliteLedger` alone."""

from __future__ import annotations

from itertools import compress, repeat
from operator import add, attrgetter
from typing import TYPE_CHECKING

from tollway_dialects.usage import Usage

from tollway_metering.domain.calls import Attempt, BookedCall, Call, CallStatus, Charge

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from tollway_metering.domain.batch import AttemptColumns, CallColumns, ChargeColumns, PricedCalls, UsageColumns

Row = tuple[str | int, ...]

MONEY = (
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
CALL_FIGURES = (*_CALL_TIMES, *MONEY, "booked_unix_ms")
ATTEMPT_KIND = ("number", "provider", "model", "key_fingerprint", "http_status", "outcome", "reason")
ATTEMPT_FIGURES = (*_ATTEMPT_TIMES, *MONEY)
# most calls have one attempt, which used and cost what they did: it stands in their row
LONE_ATTEMPT = ("attempt_kind", *(f"attempt_{name}" for name in _ATTEMPT_TIMES))
_call_kind = attrgetter(*CALL_KIND)
_attempt_kind = attrgetter(*ATTEMPT_KIND)


def call_kinds(calls: CallColumns) -> list[Row]:
    """Return what stands in `CALL_KIND`, for each kind."""
    return [_bindable(_call_kind(kind)) for kind in calls.kinds]


def attempt_kinds(attempts: AttemptColumns) -> list[Row]:
    """Return what stands in `ATTEMPT_KIND`, for each kind."""
    return [_bindable(_attempt_kind(kind)) for kind in attempts.kinds]


def rows_of(
    priced: PricedCalls, kind_ids: Sequence[int], attempt_kind_ids: Sequence[int]
) -> tuple[list[Row], list[Sequence[Row]]]:
    """
    Return the row of each call, and the rows of its attempts.

    A call's has id, kind, workspace and what stands in `CALL_FIGURES`, and where it has a lone attempt what stands in
    `LONE_ATTEMPT`; an attempt's has the id of its call, its kind and what stands in `ATTEMPT_FIGURES`.
    """
    calls, money = priced.calls, _money(priced.calls.usage, priced.charges)
    spent = _money(calls.attempts.usage, priced.attempt_charges)
    figures = (*_call_columns(calls, kind_ids), *money, repeat(priced.booked_unix_ms, len(calls)))
    tried = _tried(calls.attempts, attempt_kind_ids)
    attempts: list[Sequence[Row]] = [()] * len(calls)
    if not _are_lone(calls.attempt_counts, money, spent):
        lone, attempts = _parted(calls, *(list(zip(*columns, strict=True)) for columns in (money, tried, spent)))
    elif 0 in calls.attempt_counts:
        told = zip(*tried, strict=True)
        lone = [next(told) if count else () for count in calls.attempt_counts]
    else:
        return list(zip(*figures, *tried, strict=True)), attempts
    return list(map(add, zip(*figures, strict=True), lone)), attempts


def _are_lone(counts: Sequence[int], money: Sequence[list[int]], spent: Sequence[list[int]]) -> bool:
    """Say whether no call has several attempts, and each attempt used and cost what its call did; most batches are."""
    # several attempts of a call make longer columns than those of calls
    return spent == ([list(compress(column, counts)) for column in money] if 0 in counts else money)


def _parted(
    calls: CallColumns, money: Sequence[Row], tried: Sequence[Row], spent: Sequence[Row]
) -> tuple[list[Row], list[Sequence[Row]]]:
    """Return what stands in `LONE_ATTEMPT` for each call, and the rows of the attempts that stand in no call's."""
    lone: list[Row] = []
    attempts: list[Sequence[Row]] = []
    end = 0
    for call_id, used, count in zip(calls.call_ids, money, calls.attempt_counts, strict=True):
        begin, end = end, end + count
        is_lone = count == 1 and spent[begin] == used
        lone.append(tried[begin] if is_lone else ())
        places = () if is_lone else range(begin, end)
        attempts.append([(call_id, *tried[place], *spent[place]) for place in places])
    return lone, attempts


def _call_columns(calls: CallColumns, kind_ids: Sequence[int]) -> Iterator[Iterable[str | int]]:
    """Yield call id, kind, workspace and what stands in `_CALL_TIMES`, as columns."""
    yield calls.call_ids
    yield map(kind_ids.__getitem__, calls.kind_indexes)
    yield map([kind.workspace for kind in calls.kinds].__getitem__, calls.kind_indexes)
    yield from (getattr(calls, name) for name in _CALL_TIMES)


def _tried(attempts: AttemptColumns, kind_ids: Sequence[int]) -> Iterator[Iterable[int]]:
    """Yield what stands in `LONE_ATTEMPT`, as columns."""
    yield map(kind_ids.__getitem__, attempts.kind_indexes)
    yield from (getattr(attempts, name) for name in _ATTEMPT_TIMES)


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


def _money(usage: UsageColumns, charges: ChargeColumns) -> list[list[int]]:
    """Return what stands in `MONEY`, as columns."""
    # SQLite takes no bool as it is; bytes hold numbers
    is_estimated, is_unpriced = (list(bytes(column)) for column in (usage.is_estimated, charges.is_unpriced))
    return [*usage.counts(), is_estimated, charges.micro_usd, is_unpriced]


def _bindable(values: Sequence[str | int]) -> Row:
    """Return values of the very types that SQLite takes; those of a subclass it would ask for an adapter, each time."""
    return tuple(str(value) if isinstance(value, str) else int(value) for value in values)
