"""Tables of the SQLite ledger and their version; opened by `SqliteLedger` alone."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from tollway_servicekit.settings import SettingError
from tollway_servicekit.sqlite_file import open_sqlite_file

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_VERSION = 2

_USAGE_COLUMNS = """
    uncached_input_tokens INTEGER NOT NULL,
    cache_write_short_tokens INTEGER NOT NULL,
    cache_write_long_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    is_estimated INTEGER NOT NULL,
    cost_micro_usd INTEGER NOT NULL,
    is_unpriced INTEGER NOT NULL"""

# what counts towards caps, so that a start need not sum up the calls of a month
_MONTHS = """CREATE TABLE months (
    workspace TEXT NOT NULL,
    begin_unix_ms INTEGER NOT NULL,
    counted_tokens INTEGER NOT NULL,
    PRIMARY KEY (workspace, begin_unix_ms)
) STRICT, WITHOUT ROWID"""

_TABLES = (
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
    prompt TEXT NOT NULL,{_USAGE_COLUMNS}
) STRICT""",
    "CREATE INDEX calls_by_start ON calls (workspace, started_unix_ms)",
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
    duration_ms INTEGER NOT NULL,{_USAGE_COLUMNS}
) STRICT""",
    "CREATE INDEX attempts_by_call ON attempts (call_id)",
    _MONTHS,
)


_FROM_1_TO_2 = f"""BEGIN IMMEDIATE;
{_MONTHS};
INSERT INTO months
SELECT workspace,
    CAST(strftime('%s', booked_unix_ms / 1000, 'unixepoch', 'start of month') AS INTEGER) * 1000 AS begin_unix_ms,
    sum(uncached_input_tokens + cache_write_short_tokens + cache_write_long_tokens + cache_read_tokens + output_tokens)
FROM calls WHERE NOT is_cache_hit GROUP BY workspace, begin_unix_ms;
DROP INDEX calls_by_booking;
PRAGMA user_version = 2;
COMMIT;"""  # noqa: S608, constants


def open_database(path: Path) -> sqlite3.Connection:
    """
    Return a connection to the ledger's file, which is made where it is missing.

    Raises:
        SettingError: The file is no ledger, cannot be brought to this schema, or a newer Tollway wrote it.
    """
    connection = open_sqlite_file(
        path,
        setting="LEDGER_PATH",
        purpose="a ledger",
        tables=_TABLES,
        version=SCHEMA_VERSION,
    )
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] == 1:
            connection.executescript(_FROM_1_TO_2)
    except sqlite3.Error as error:
        connection.close()
        raise SettingError(f"LEDGER_PATH: {path} cannot be brought to schema {SCHEMA_VERSION}: {error}") from error
    connection.row_factory = sqlite3.Row
    return connection
