"""The ledger in one SQLite file (WAL), served by one thread so that the event loop never waits for the disk."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from itertools import chain, groupby
from typing import TYPE_CHECKING, TypeVar

from tollway_servicekit.errors import Unavailable

from tollway_metering.adapters.sqlite_rows import (
    ATTEMPT_FIGURES,
    ATTEMPT_KIND,
    CALL_FIGURES,
    CALL_KIND,
    LONE_ATTEMPT,
    attempt_kinds,
    call_kinds,
    rows_of,
    to_booked_call,
    to_usage,
)
from tollway_metering.adapters.sqlite_schema import open_database
from tollway_metering.domain.calls import UsageSums
from tollway_metering.domain.charges import counted_tokens
from tollway_metering.domain.month import month_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path

    from tollway_metering.adapters.sqlite_rows import Row
    from tollway_metering.domain.batch import PricedCalls
    from tollway_metering.domain.calls import BookedCall

Result = TypeVar("Result")

_LATEST = "FROM calls WHERE workspace = ? ORDER BY started_unix_ms DESC, id DESC LIMIT ?"
_TOKENS = (
    "uncached_input_tokens",
    "cache_write_short_tokens",
    "cache_write_long_tokens",
    "cache_read_tokens",
    "output_tokens",
)
_MONTH = "SELECT counted_tokens FROM months WHERE workspace = ? AND begin_unix_ms = ?"
_BOUGHT = ", ".join(
    f"coalesce(sum({name}) FILTER (WHERE NOT is_cache_hit), 0) AS {name}" for name in (*_TOKENS, "reasoning_tokens")
)
_SUMS = f"""SELECT count(*) AS calls, {_BOUGHT},
    count(*) FILTER (WHERE status = 'failed') AS failed_calls,
    count(*) FILTER (WHERE status = 'cancelled') AS cancelled_calls,
    count(*) FILTER (WHERE is_cache_hit) AS cache_hits,
    coalesce(max(is_estimated) FILTER (WHERE NOT is_cache_hit), 0) AS is_estimated,
    coalesce(sum(cost_micro_usd), 0) AS cost_micro_usd,
    coalesce(sum(saved_micro_usd), 0) AS saved_micro_usd
FROM calls WHERE workspace = ? AND started_unix_ms >= ?"""  # noqa: S608, constants


# rows in one statement: to begin a statement costs as much as to write a row, and gives the interpreter away each time
_ROWS = 16


class _Insertion:
    """Adds rows to a table; the columns must be named in the order of the rows' values."""

    def __init__(self, table: str, columns: tuple[str, ...]) -> None:
        self.width = len(columns)
        marks = f"({', '.join('?' * len(columns))})"
        self.one = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {marks}"  # noqa: S608, our names
        self._several = self.one + f", {marks}" * (_ROWS - 1)

    def add(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
        end = len(rows) - len(rows) % _ROWS
        groups = (tuple(chain.from_iterable(rows[place : place + _ROWS])) for place in range(0, end, _ROWS))
        if end:  # statements are prepared when they are first named
            connection.executemany(self._several, groups)
        if end < len(rows):
            connection.executemany(self.one, rows[end:])


class _Kinds:
    """Knows the ids of kinds, and adds those that are new."""

    def __init__(self, table: str, columns: tuple[str, ...]) -> None:
        self._add = _Insertion(table, columns).one
        self._find = f"SELECT id FROM {table} WHERE {' AND '.join(f'{name} = ?' for name in columns)}"  # noqa: S608

    def ids(self, connection: sqlite3.Connection, kinds: Sequence[Row]) -> list[int]:
        return [self._id(connection, kind) for kind in kinds]

    def _id(self, connection: sqlite3.Connection, kind: Row) -> int:
        found = connection.execute(self._find, kind).fetchone()
        added = found or connection.execute(f"{self._add} RETURNING id", kind).fetchone()
        kind_id: int = added[0]
        return kind_id


_CALL_KINDS = _Kinds("call_kinds", CALL_KIND)
_ATTEMPT_KINDS = _Kinds("attempt_kinds", ATTEMPT_KIND)
_CALL = ("call_id", "kind", "workspace", *CALL_FIGURES)
# two statements, since the module sqlite3 looks for an adapter of each None
_CALLS = [_Insertion("booked_calls", columns) for columns in ((*_CALL, *LONE_ATTEMPT), _CALL)]
_ATTEMPTS = _Insertion("booked_attempts", ("call_id", "kind", *ATTEMPT_FIGURES))
_ADD_UNKNOWN_CALL = {calls.width: f"{calls.one} ON CONFLICT DO NOTHING" for calls in _CALLS}
_ADD_TO_MONTH = """INSERT INTO months (workspace, begin_unix_ms, counted_tokens) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET counted_tokens = counted_tokens + excluded.counted_tokens"""


class SqliteLedger:
    """Keeps rows in the tables `calls` and `attempts`; made by `open_ledger`."""

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._thread = thread

    async def book(self, priced: PricedCalls) -> Sequence[int]:
        return await self._run(lambda: self._insert(priced))

    async def sums_since(self, workspace: str, since_unix_ms: int) -> UsageSums:
        row = (await self._query(_SUMS, workspace, since_unix_ms))[0]
        counts = ("calls", "failed_calls", "cancelled_calls", "cache_hits", "cost_micro_usd", "saved_micro_usd")
        return UsageSums(**{name: row[name] for name in counts}, usage=to_usage(row))

    async def latest(self, workspace: str, limit: int) -> list[BookedCall]:
        return await self._run(lambda: self._select_latest(workspace, limit))

    async def month_tokens(self, workspace: str, begin_unix_ms: int) -> int:
        rows = await self._query(_MONTH, workspace, begin_unix_ms)
        return rows[0][0] if rows else 0

    def _insert(self, priced: PricedCalls) -> Sequence[int]:
        try:
            with _transaction(self._connection):
                calls, attempts = self._rows(priced)
                for of_width in _CALLS:
                    of_width.add(self._connection, [row for row in calls if len(row) == of_width.width])
                _ATTEMPTS.add(self._connection, list(chain.from_iterable(attempts)))
                return self._count(priced, range(len(calls)))
        except sqlite3.IntegrityError:  # some are there already, which is rare enough to begin again
            with _transaction(self._connection):
                return self._count(priced, self._insert_unknown(*self._rows(priced)))

    def _rows(self, priced: PricedCalls) -> tuple[list[Row], list[Sequence[Row]]]:
        kind_ids = _CALL_KINDS.ids(self._connection, call_kinds(priced.calls))
        return rows_of(priced, kind_ids, _ATTEMPT_KINDS.ids(self._connection, attempt_kinds(priced.calls.attempts)))

    def _insert_unknown(self, calls: Sequence[Row], attempts: Sequence[Sequence[Row]]) -> list[int]:
        new = []
        for place, (call, of_call) in enumerate(zip(calls, attempts, strict=True)):
            if self._connection.execute(_ADD_UNKNOWN_CALL[len(call)], call).rowcount == 1:
                _ATTEMPTS.add(self._connection, of_call)
                new.append(place)
        return new

    def _count(self, priced: PricedCalls, new: Sequence[int]) -> Sequence[int]:
        begin = month_of(priced.booked_unix_ms)[0]
        months = [(workspace, begin, tokens) for workspace, tokens in counted_tokens(priced, new).items()]
        self._connection.executemany(_ADD_TO_MONTH, months)
        return new

    def _select_latest(self, workspace: str, limit: int) -> list[BookedCall]:
        calls = self._connection.execute(f"SELECT * {_LATEST}", (workspace, limit)).fetchall()
        attempts = self._connection.execute(
            f"SELECT * FROM attempts WHERE call_id IN (SELECT call_id {_LATEST}) ORDER BY call_id, id",  # noqa: S608
            (workspace, limit),
        )
        of_call = {call_id: list(group) for call_id, group in groupby(attempts, key=lambda row: row["call_id"])}
        return [to_booked_call(call, of_call.get(call["call_id"], ())) for call in calls]

    async def _query(self, statement: str, *values: str | int) -> list[sqlite3.Row]:
        return await self._run(lambda: self._connection.execute(statement, values).fetchall())

    async def _run(self, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise Unavailable("LEDGER_UNAVAILABLE", f"the ledger's file cannot be used now: {error}") from error


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@asynccontextmanager
async def open_ledger(path: Path) -> AsyncIterator[SqliteLedger]:
    """
    Open a ledger's file for as long as the block runs.

    Raises:
        SettingError: The file is no ledger, or a newer Tollway wrote it.
    """
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger") as thread:
        connection = await loop.run_in_executor(thread, open_database, path)
        try:
            yield SqliteLedger(connection, thread)
        finally:
            await loop.run_in_executor(thread, connection.close)
