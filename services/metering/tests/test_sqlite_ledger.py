"""What only a file can do: outlive a restart, be of another version, be no ledger at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from tollway_dialects.usage import Usage
from tollway_metering.adapters.sqlite_ledger import open_ledger
from tollway_metering.domain.calls import Attempt, BookedCall, Call, CallStatus, Charge
from tollway_servicekit.errors import Unavailable
from tollway_servicekit.settings import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tollway_metering.domain.batch import PricedCalls

    Priced = Callable[..., PricedCalls]


def row(number: int, output: int = 1, attempts: tuple[Attempt, ...] = ()) -> BookedCall:
    call = Call(f"{number:032x}", "default", CallStatus.SUCCEEDED, usage=Usage(output=output), attempts=attempts)
    return BookedCall(call, Charge(1), tuple(Charge(1) for _ in attempts), 0)


async def test_rows_outlive_the_process(tmp_path: Path, priced: Priced) -> None:
    path = tmp_path / "ledger.sqlite3"
    async with open_ledger(path) as ledger:
        await ledger.book(priced(row(1)))
    async with open_ledger(path) as ledger:
        assert await ledger.latest("default", 1) == [row(1)]


async def test_a_batch_is_booked_whole_or_not_at_all(tmp_path: Path, priced: Priced) -> None:
    async with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        with pytest.raises(OverflowError):
            await ledger.book(priced(row(1), row(2, output=2**64)))
        assert await ledger.latest("default", 10) == []
        assert list(await ledger.book(priced(row(1)))) == [0]


async def test_attempts_have_a_cost_column_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    async with open_ledger(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        columns = {column[1] for column in connection.execute("PRAGMA table_info(attempts)")}
        assert {"cost_micro_usd", "is_unpriced", "output_tokens"} <= columns
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_what_calls_have_in_common_is_kept_once(tmp_path: Path, priced: Priced) -> None:
    path = tmp_path / "ledger.sqlite3"
    async with open_ledger(path) as ledger:
        for number in range(6):
            await ledger.book(priced(row(number)))
        assert len(await ledger.latest("default", 10)) == 6
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM call_kinds").fetchone() == (1,)


async def test_a_lone_attempt_that_used_what_its_call_did_takes_no_row_of_its_own(
    tmp_path: Path, priced: Priced
) -> None:
    path = tmp_path / "ledger.sqlite3"
    told = Attempt(1, "p", usage=Usage(output=1), started_unix_ms=8, duration_ms=9)
    async with open_ledger(path) as ledger:
        await ledger.book(priced(row(1, attempts=(told,)), row(2, attempts=(told, told)), row(3, 2, (told,)), row(4)))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM booked_attempts").fetchone() == (3,)
        columns = "CAST(call_id AS INTEGER), provider, started_unix_ms, duration_ms, output_tokens, cost_micro_usd"
        rows = connection.execute(f"SELECT {columns} FROM attempts ORDER BY call_id").fetchall()
        assert rows == [(number, "p", 8, 9, 1, 1) for number in (1, 2, 2, 3)]
        assert connection.execute("SELECT count(DISTINCT id) FROM attempts").fetchone() == (4,)


async def test_a_batch_of_lone_attempts_is_read_as_it_was_booked(tmp_path: Path, priced: Priced) -> None:
    told = (Attempt(1, "p", usage=Usage(output=1), started_unix_ms=8, duration_ms=9),)
    rows = [row(number, attempts=told) for number in range(40)]  # more than one statement takes
    async with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        await ledger.book(priced(*rows))
        assert {each.call.call_id: each for each in await ledger.latest("default", 100)} == {
            each.call.call_id: each for each in rows
        }
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM booked_attempts").fetchone() == (0,)


async def test_queries_of_the_views_begin_at_an_index(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    async with open_ledger(path):
        pass
    since = "FROM calls WHERE workspace = 'default' AND started_unix_ms >= 1"
    latest = "FROM calls WHERE workspace = 'default' ORDER BY started_unix_ms DESC, id DESC LIMIT 1"
    joined = "FROM calls JOIN attempts USING (call_id) WHERE calls.workspace = 'default' AND calls.started_unix_ms >= 1"
    with closing(sqlite3.connect(path)) as connection:

        def plan(query: str) -> list[str]:
            steps = [step[3] for step in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
            assert not any(step.startswith(("SCAN", "MATERIALIZE")) for step in steps), steps
            return steps

        for query in (f"SELECT count(*) FILTER (WHERE is_cache_hit) {since}", f"SELECT * {latest}"):
            steps = plan(query)
            assert "USING INDEX booked_calls_by_start" in steps[0], steps
            assert not any("TEMP B-TREE" in step for step in steps), steps
        plan(f"SELECT * FROM attempts WHERE call_id IN (SELECT call_id {latest}) ORDER BY call_id, id")
        plan(f"SELECT calls.model, sum(attempts.cost_micro_usd) {joined} GROUP BY calls.model")


async def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    before = path.read_bytes()
    with pytest.raises(SettingError, match=r"newer Tollway \(schema 7, this one knows 3\)"):
        async with open_ledger(path):
            pass
    assert path.read_bytes() == before


async def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_text("not a database, but long enough to be read as one. " * 20)
    with pytest.raises(SettingError, match="cannot be used as a ledger"):
        async with open_ledger(path):
            pass


async def test_a_file_that_cannot_be_written_makes_booking_unavailable(tmp_path: Path, priced: Priced) -> None:
    path = tmp_path / "ledger.sqlite3"
    async with open_ledger(path) as ledger:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TABLE booked_attempts")
            connection.execute("DROP TABLE booked_calls")
        with pytest.raises(Unavailable, match="LEDGER_UNAVAILABLE"):
            await ledger.book(priced(row(1)))
