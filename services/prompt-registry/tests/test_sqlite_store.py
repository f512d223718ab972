"""What only a file can do: outlive a restart, be of another version, be no store at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from tollway_prompt_registry.adapters.sqlite_store import open_store
from tollway_prompt_registry.domain.prompts import PromptVersion
from tollway_servicekit.errors import Unavailable
from tollway_servicekit.settings import SettingError

if TYPE_CHECKING:
    from pathlib import Path


async def test_versions_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "prompts.sqlite3"
    async with open_store(path) as store:
        await store.add(PromptVersion("a", 1, "text"))
    async with open_store(path) as store:
        assert await store.versions() == [PromptVersion("a", 1, "text")]


async def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prompts.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    with pytest.raises(SettingError, match="newer Tollway"):
        async with open_store(path):
            pass


async def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prompts.sqlite3"
    path.write_text("not a database, but long enough to be read as one. " * 20)
    with pytest.raises(SettingError, match="cannot be used as a prompt store"):
        async with open_store(path):
            pass


async def test_a_file_that_cannot_be_written_makes_publishing_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "prompts.sqlite3"
    async with open_store(path) as store:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TABLE prompt_versions")
        with pytest.raises(Unavailable, match="PROMPT_STORE_UNAVAILABLE"):
            await store.add(PromptVersion("a", 1, "text"))
