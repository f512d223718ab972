"""Opens a service's SQLite file at the schema that it knows; called in the thread that will use the connection."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from tollway_servicekit.settings import SettingError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def open_sqlite_file(
    path: Path, *, setting: str, purpose: str, tables: Sequence[str], version: int
) -> sqlite3.Connection:
    """
    Return a connection in autocommit mode and WAL; a missing file is made.

    Args:
        path: The file.
        setting: Name of the setting that holds the path, for messages.
        purpose: What the file is, e.g. "a ledger", for messages.
        tables: Statements that make the schema in an empty file.
        version: Number of that schema, from 1.

    Raises:
        SettingError: The file is something else, or a newer Tollway wrote it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > version:
            raise SettingError(
                f"{setting}: {path} was written by a newer Tollway (schema {found}, this one knows {version}); "
                "start that version again, or choose another file"
            )
        connection.execute("PRAGMA journal_mode = WAL")
        # what was acknowledged must outlive a power cut, which NORMAL does not promise
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA busy_timeout = 5000")
        if found == 0:
            _make(connection, tables, version)
    except sqlite3.Error as error:
        connection.close()
        raise SettingError(f"{setting}: {path} cannot be used as {purpose}: {error}") from error
    except SettingError:
        connection.close()
        raise
    return connection


def _make(connection: sqlite3.Connection, tables: Sequence[str], version: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in tables:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("COMMIT")
