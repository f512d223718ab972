"""
Tables and views of the SQLite ledger and their version; opened by `SqliteLedger` alone.

What many calls have in common stands once in `call_kinds`, and in `attempt_kinds` for attempts; an attempt that is its
call's only one stands in the call's row. People and programs read the views `calls` and `attempts`, which join them.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from tollway_servicekit.settings import SettingError
from tollway_servicekit.sqlite_file import open_sqlite_file

from tollway_metering.adapters.sqlite_rows import (
    ATTEMPT_FIGURES,
    ATTEMPT_KIND,
    CALL_FIGURES,
    CALL_KIND,
    LONE_ATTEMPT,
    MONEY,
)
from tollway_metering.adapters.sqlite_upgrade import FROM_1, FROM_2

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_VERSION = 3

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

_ATTEMPT_FIGURES = ", ".join(
    f"coalesce(tried.{name}, booked.{of_call}) AS {name}"
    for name, of_call in zip(ATTEMPT_FIGURES, (*LONE_ATTEMPT[1:], *MONEY), strict=True)
)
# a cross join is made in the order written: from the rows to their kinds; an id is below 0 where the row is the call's
_ATTEMPTS_VIEW = f"""CREATE VIEW attempts AS
SELECT coalesce(tried.id, -booked.id) AS id, booked.call_id, {", ".join(ATTEMPT_KIND)}, {_ATTEMPT_FIGURES}
FROM booked_calls AS booked LEFT JOIN booked_attempts AS tried ON tried.call_id = booked.call_id
CROSS JOIN attempt_kinds AS kinds ON kinds.id = coalesce(tried.kind, booked.attempt_kind)"""  # noqa: S608, our names

_TABLES = (
    f"""CREATE TABLE call_kinds (
    id INTEGER PRIMARY KEY,
    workspace TEXT NOT NULL,
    status TEXT NOT NULL,
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
    prompt TEXT NOT NULL,
    UNIQUE ({", ".join(CALL_KIND)})
) STRICT""",
    f"""CREATE TABLE attempt_kinds (
    id INTEGER PRIMARY KEY,
    number INTEGER NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    key_fingerprint TEXT NOT NULL,
    http_status INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    UNIQUE ({", ".join(ATTEMPT_KIND)})
) STRICT""",
    f"""CREATE TABLE booked_calls (
    id INTEGER PRIMARY KEY,
    call_id TEXT NOT NULL UNIQUE,
    kind INTEGER NOT NULL REFERENCES call_kinds (id),
    workspace TEXT NOT NULL, -- its kind's, once more for the index
    started_unix_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    time_to_first_byte_ms INTEGER NOT NULL,
    saved_micro_usd INTEGER NOT NULL,
    booked_unix_ms INTEGER NOT NULL,{_USAGE_COLUMNS},
    attempt_kind INTEGER REFERENCES attempt_kinds (id), -- of the call's only attempt, where its money is the call's
    attempt_started_unix_ms INTEGER,
    attempt_duration_ms INTEGER
) STRICT""",
    "CREATE INDEX booked_calls_by_start ON booked_calls (workspace, started_unix_ms)",
    f"""CREATE TABLE booked_attempts (
    id INTEGER PRIMARY KEY,
    call_id TEXT NOT NULL REFERENCES booked_calls (call_id),
    kind INTEGER NOT NULL REFERENCES attempt_kinds (id),
    started_unix_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,{_USAGE_COLUMNS}
) STRICT""",
    "CREATE INDEX booked_attempts_by_call ON booked_attempts (call_id)",
    # what counts towards caps, so that a start need not sum up the calls of a month
    """CREATE TABLE months (
    workspace TEXT NOT NULL,
    begin_unix_ms INTEGER NOT NULL,
    counted_tokens INTEGER NOT NULL,
    PRIMARY KEY (workspace, begin_unix_ms)
) STRICT, WITHOUT ROWID""",
    f"""CREATE VIEW calls AS
SELECT booked.id, call_id, booked.workspace, {", ".join(CALL_KIND[1:])}, {", ".join(CALL_FIGURES)}
FROM booked_calls AS booked CROSS JOIN call_kinds AS kinds ON kinds.id = booked.kind""",  # noqa: S608, our names
    _ATTEMPTS_VIEW,
)


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
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 1:
            connection.executescript(FROM_1.format(tables=";\n".join(_TABLES)))
        if version == 2:
            connection.executescript(FROM_2.format(attempts=_ATTEMPTS_VIEW))
    except sqlite3.Error as error:
        connection.close()
        raise SettingError(f"LEDGER_PATH: {path} cannot be brought to schema {SCHEMA_VERSION}: {error}") from error
    connection.row_factory = sqlite3.Row
    return connection
