"""Stores of both kinds, a prompts folder, and the servicer behind each kind of stub."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tollway_prompt_registry.adapters.memory_store import MemoryStore
from tollway_prompt_registry.adapters.sqlite_store import open_store
from tollway_prompt_registry.bootstrap import bootstrap
from tollway_prompt_registry.entrypoints.servicer import CONTRACT
from tollway_prompt_registry.settings import Settings
from tollway_servicekit.testing import STUB_KINDS, stub_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tollway_prompt_registry.domain.ports import PromptStore


@pytest.fixture(params=["sqlite", "memory"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PromptStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    async with open_store(tmp_path / "state" / "prompts.sqlite3") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A prompts folder with one prompt of two versions."""
    prompt = tmp_path / "prompts" / "greeter"
    prompt.mkdir(parents=True)
    (prompt / "v1.txt").write_text("Greet everybody.\n")
    (prompt / "v2.txt").write_text("Greet {{ name }}.\n")
    return prompt.parent


@pytest.fixture
def settings(tmp_path: Path, folder: Path) -> Settings:
    return Settings(prompts_dir=folder, store_path=tmp_path / "prompts.sqlite3")


@pytest.fixture(params=STUB_KINDS)
def serve(request: pytest.FixtureRequest) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """Return a function that yields a stub of a servicer with the given settings."""

    @asynccontextmanager
    async def open_stub(settings: Settings) -> AsyncIterator[Any]:
        async with bootstrap(settings) as servicer, stub_of(request.param, CONTRACT, servicer) as stub:
            yield stub

    return open_stub
