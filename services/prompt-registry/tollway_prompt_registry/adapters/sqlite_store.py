"""Published versions in one SQLite file (WAL), served by one thread so that the event loop never waits for the disk."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from tollway_servicekit.errors import Unavailable
from tollway_servicekit.sqlite_file import open_sqlite_file

from tollway_prompt_registry.domain.prompts import PromptVersion

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

Result = TypeVar("Result")

SCHEMA_VERSION = 1

_TABLE = """CREATE TABLE IF NOT EXISTS prompt_versions (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    template TEXT NOT NULL,
    UNIQUE (name, version)
) STRICT"""
_INSERT = "INSERT INTO prompt_versions (name, version, template) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_SELECT = "SELECT name, version, template FROM prompt_versions"


class SqliteStore:
    """Keeps versions in the table `prompt_versions`; made by `open_store`."""

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._thread = thread

    async def versions(self) -> list[PromptVersion]:
        return await self._run(
            lambda: [PromptVersion(*row) for row in self._connection.execute(f"{_SELECT} ORDER BY id")]
        )

    async def add(self, version: PromptVersion) -> PromptVersion:
        return await self._run(lambda: self._add(version))

    def _add(self, version: PromptVersion) -> PromptVersion:
        self._connection.execute(_INSERT, (version.name, version.version, version.template))
        key = (version.name, version.version)
        return PromptVersion(*self._connection.execute(f"{_SELECT} WHERE name = ? AND version = ?", key).fetchone())

    async def _run(self, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise Unavailable("PROMPT_STORE_UNAVAILABLE", f"the prompts' file cannot be used now: {error}") from error


@asynccontextmanager
async def open_store(path: Path) -> AsyncIterator[SqliteStore]:
    """
    Open a store's file for as long as the block runs; it is made where it is missing.

    Raises:
        SettingError: The file is no prompt store, or a newer Tollway wrote it.
    """
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prompts") as thread:
        connection = await loop.run_in_executor(thread, _open_database, path)
        try:
            yield SqliteStore(connection, thread)
        finally:
            await loop.run_in_executor(thread, connection.close)


def _open_database(path: Path) -> sqlite3.Connection:
    return open_sqlite_file(
        path,
        setting="PROMPT_STORE_PATH",
        purpose="a prompt store",
        tables=(_TABLE,),
        version=SCHEMA_VERSION,
    )
