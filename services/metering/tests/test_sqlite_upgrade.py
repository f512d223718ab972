"""A ledger of an earlier schema becomes one of the present, whole or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from tollway_dialects.usage import Usage
from tollway_metering.adapters.sqlite_ledger import open_ledger
from tollway_metering.domain.calls import Attempt, BookedCall, Call, CallStatus, Charge
from tollway_servicekit.settings import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tollway_metering.domain.batch import PricedCalls

USAGE = """
    uncached_input_tokens INTEGER NOT NULL,
    cache_write_short_tokens INTEGER NOT NULL,
    cache_write_long_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    is_estimated INTEGER NOT NULL,
    cost_micro_usd INTEGER NOT NULL,
    is_unpriced INTEGER NOT NULL"""

TABLES = (
    f"""CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    call_id TEXT NOT NULL UNIQUE,
    workspace TEXT NOT NULL,
    status TEXT NOT NULL,
    started_unix_ms INTEGER NOT NULL,
    booked_unix_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    time_to_first_byte_ms INTEGER NOT NULL,
    dialect TEXT NOT NULL,
    is_streamed INTEGER NOT NULL,
    requested_model TEXT NOT NULL,
    model TEXT NOT NULL,
    provider TEXT NOT NULL,
    tier TEXT NOT NULL,
    classifier TEXT NOT NULL,
    cache TEXT NOT NULL,
    is_cache_hit INTEGER NOT NULL,
    http_status INTEGER NOT NULL,
    reason TEXT NOT NULL,
    saved_micro_usd INTEGER NOT NULL,
    prompt TEXT NOT NULL,{USAGE}
) STRICT""",
    "CREATE INDEX calls_by_start ON calls (workspace, started_unix_ms)",
    "CREATE INDEX calls_by_booking ON calls (workspace, booked_unix_ms)",
    f"""CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    call_id TEXT NOT NULL REFERENCES calls (call_id),
    number INTEGER NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    key_fingerprint TEXT NOT NULL,
    http_status INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    started_unix_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,{USAGE}
) STRICT""",
    "CREATE INDEX attempts_by_call ON attempts (call_id)",
)

SECOND_TABLES = (
    """CREATE TABLE call_kinds (id INTEGER PRIMARY KEY, workspace TEXT NOT NULL, status TEXT NOT NULL,
    dialect TEXT NOT NULL, is_streamed INTEGER NOT NULL, requested_model TEXT NOT NULL, model TEXT NOT NULL,
    provider TEXT NOT NULL, tier TEXT NOT NULL, classifier TEXT NOT NULL, cache TEXT NOT NULL,
    is_cache_hit INTEGER NOT NULL, http_status INTEGER NOT NULL, reason TEXT NOT NULL, prompt TEXT NOT NULL) STRICT""",
    """CREATE TABLE attempt_kinds (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, provider TEXT NOT NULL,
    model TEXT NOT NULL, key_fingerprint TEXT NOT NULL, http_status INTEGER NOT NULL, outcome TEXT NOT NULL,
    reason TEXT NOT NULL) STRICT""",
    f"""CREATE TABLE booked_calls (id INTEGER PRIMARY KEY, call_id TEXT NOT NULL UNIQUE,
    kind INTEGER NOT NULL REFERENCES call_kinds (id), workspace TEXT NOT NULL, started_unix_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL, time_to_first_byte_ms INTEGER NOT NULL, saved_micro_usd INTEGER NOT NULL,
    booked_unix_ms INTEGER NOT NULL,{USAGE}) STRICT""",
    f"""CREATE TABLE booked_attempts (id INTEGER PRIMARY KEY,
    call_id TEXT NOT NULL REFERENCES booked_calls (call_id), kind INTEGER NOT NULL REFERENCES attempt_kinds (id),
    started_unix_ms INTEGER NOT NULL, duration_ms INTEGER NOT NULL,{USAGE}) STRICT""",
    "CREATE INDEX booked_attempts_by_call ON booked_attempts (call_id)",
    """CREATE TABLE months (workspace TEXT NOT NULL, begin_unix_ms INTEGER NOT NULL, counted_tokens INTEGER NOT NULL,
    PRIMARY KEY (workspace, begin_unix_ms)) STRICT, WITHOUT ROWID""",
    """CREATE VIEW calls AS SELECT booked.*, status, dialect, is_streamed, requested_model, model, provider, tier,
    classifier, cache, is_cache_hit, http_status, reason, prompt
    FROM booked_calls AS booked CROSS JOIN call_kinds AS kinds ON kinds.id = booked.kind""",
    """CREATE VIEW attempts AS SELECT booked.*, number, provider, model, key_fingerprint, http_status, outcome, reason
    FROM booked_attempts AS booked CROSS JOIN attempt_kinds AS kinds ON kinds.id = booked.kind""",
    "INSERT INTO call_kinds VALUES (1, 'default', 'succeeded', '', 0, '', 'm', 'p', '', '', 'none', 0, 200, '', '')",
    "INSERT INTO attempt_kinds VALUES (1, 1, 'p', 'm', 'ab', 529, 'refused', 'overloaded')",
    "INSERT INTO attempt_kinds VALUES (2, 2, 'p', '', '', 200, '', '')",
    f"INSERT INTO booked_calls VALUES (1, '{2:032x}', 1, 'default', 2, 2, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 9, 0)",
    f"INSERT INTO booked_attempts VALUES (1, '{2:032x}', 1, 2, 1, 0, 0, 0, 0, 2, 0, 0, 9, 0)",
    f"INSERT INTO booked_attempts VALUES (2, '{2:032x}', 2, 3, 1, 0, 0, 0, 0, 2, 0, 0, 9, 0)",
    "PRAGMA user_version = 2",
)

NOVEMBER = 1_793_491_200_000  # 2026-11-01 in UTC
USAGE_NAMES = ("uncached_input_tokens", "cache_write_short_tokens", "cache_write_long_tokens", "cache_read_tokens")


def old_call(number: int, **fields: Any) -> dict[str, Any]:
    texts = {"workspace": "default", "status": "succeeded", "dialect": "openai_chat", "cache": "none", "model": "m"}
    texts |= dict.fromkeys(("requested_model", "provider", "tier", "classifier", "reason", "prompt"), "")
    counts = {"started_unix_ms": number, "booked_unix_ms": NOVEMBER, "duration_ms": 2, "time_to_first_byte_ms": 1}
    counts |= {"is_streamed": 1, "is_cache_hit": 0, "http_status": 200, "saved_micro_usd": 0}
    return {"call_id": f"{number:032x}", **texts, **counts, **old_usage(number), **fields}


def old_attempt(number: int, of: int, **fields: Any) -> dict[str, Any]:
    texts = {"provider": "p", "model": "m", "key_fingerprint": "ab", "outcome": "refused", "reason": "overloaded"}
    counts = {"number": number, "http_status": 529, "started_unix_ms": of, "duration_ms": 1}
    return {"call_id": f"{of:032x}", **texts, **counts, **old_usage(of), **fields}


def old_usage(output: int) -> dict[str, int]:
    counts = {"output_tokens": output, "reasoning_tokens": 0, "is_estimated": 0, "cost_micro_usd": 9, "is_unpriced": 0}
    return dict.fromkeys(USAGE_NAMES, 0) | counts


def write_old_ledger(path: Path) -> None:
    calls = [
        old_call(1, booked_unix_ms=NOVEMBER - 1),
        old_call(2),
        old_call(3, cache="exact", is_cache_hit=1),
        old_call(4, model="x", is_unpriced=1),
    ]
    attempts = [old_attempt(1, of=2), old_attempt(1, of=4), old_attempt(2, of=2, outcome="succeeded")]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in TABLES:
            connection.execute(statement)
        for table, rows in (("calls", calls), ("attempts", attempts)):
            for row in rows:
                marks = ", ".join("?" * len(row))
                values = list(row.values())
                connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", values)
        connection.execute("PRAGMA user_version = 1")


async def test_every_row_of_the_first_schema_is_there_in_the_present_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    write_old_ledger(path)
    for _ in range(2):  # the second time nothing is left to do
        async with open_ledger(path) as ledger:
            rows = await ledger.latest("default", 10)
            assert [int(row.call.call_id, 16) for row in rows] == [4, 3, 2, 1]
            assert await ledger.month_tokens("default", NOVEMBER) == 2 + 4
    attempt = Attempt(1, "p", "m", "ab", 529, "refused", "overloaded", Usage(output=2), 2, 1)
    assert rows[2] == BookedCall(
        Call(
            f"{2:032x}",
            "default",
            CallStatus.SUCCEEDED,
            started_unix_ms=2,
            duration_ms=2,
            time_to_first_byte_ms=1,
            dialect="openai_chat",
            is_streamed=True,
            model="m",
            cache="none",
            http_status=200,
            usage=Usage(output=2),
            attempts=(attempt, Attempt(2, "p", "m", "ab", 529, "succeeded", "overloaded", Usage(output=2), 2, 1)),
        ),
        Charge(9),
        (Charge(9), Charge(9)),
        NOVEMBER,
    )
    assert (rows[0].charge.is_unpriced, len(rows[0].call.attempts)) == (True, 1)


async def test_a_call_of_the_first_schema_is_not_booked_again(
    tmp_path: Path, priced: Callable[..., PricedCalls]
) -> None:
    path = tmp_path / "ledger.sqlite3"
    write_old_ledger(path)
    new = [BookedCall(Call(f"{number:032x}", "default", CallStatus.FAILED), Charge(0), (), 0) for number in (4, 5)]
    async with open_ledger(path) as ledger:
        assert await ledger.book(priced(*new)) == [1]


async def test_a_ledger_that_cannot_be_brought_to_the_present_schema_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    write_old_ledger(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE months (anything TEXT)")
    with pytest.raises(SettingError, match="cannot be brought to schema 3"):
        async with open_ledger(path):
            pass
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchone() == (4,)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


async def test_every_row_of_the_second_schema_stays_and_calls_are_booked_beside_it(
    tmp_path: Path, priced: Callable[..., PricedCalls]
) -> None:
    path = tmp_path / "ledger.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in SECOND_TABLES:
            connection.execute(statement)
    refused = Attempt(1, "p", "m", "ab", 529, "refused", "overloaded", Usage(output=2), 2, 1)
    new = Call(f"{3:032x}", "default", CallStatus.SUCCEEDED, 3, usage=Usage(output=2), attempts=(refused,))
    for booked in ([0], []):  # the second time nothing is left to do
        async with open_ledger(path) as ledger:
            assert list(await ledger.book(priced(BookedCall(new, Charge(9), (Charge(9),), 0)))) == booked
            rows = await ledger.latest("default", 10)
            assert rows[0].call == new
            assert rows[1].call.attempts == (refused, Attempt(2, "p", "", "", 200, "", "", Usage(output=2), 3, 1))
            assert rows[1].attempt_charges == (Charge(9), Charge(9))
