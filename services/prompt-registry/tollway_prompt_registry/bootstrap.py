"""Builds the prompt registry's servicer and publishes the prompt files; the only file that chooses adapters."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from tollway_servicekit.errors import Conflict, InvalidRequest
from tollway_servicekit.settings import SettingError

from tollway_prompt_registry.adapters.jinja_engine import JinjaEngine
from tollway_prompt_registry.adapters.prompt_files import changed, check_digests, file_of, read_prompt_files
from tollway_prompt_registry.adapters.sqlite_store import open_store
from tollway_prompt_registry.domain.registry import PromptRegistry
from tollway_prompt_registry.entrypoints.servicer import PromptRegistryServicer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tollway_prompt_registry.domain.ports import PromptStore
    from tollway_prompt_registry.domain.prompts import PromptVersion
    from tollway_prompt_registry.settings import Settings

log = logging.getLogger(__name__)


@asynccontextmanager
async def bootstrap(settings: Settings, *, store: PromptStore | None = None) -> AsyncIterator[PromptRegistryServicer]:
    """Yield the servicer; its store is open as long as the block runs. Tests pass a store."""
    async with AsyncExitStack() as stack:
        if store is None:
            store = await stack.enter_async_context(open_store(settings.store_path))
        registry = PromptRegistry(store, JinjaEngine())
        await registry.load()
        await _publish_files(registry, settings.prompts_dir)
        yield PromptRegistryServicer(registry)


async def _publish_files(registry: PromptRegistry, folder: Path) -> None:
    versions = _read_files(folder)
    for version in versions:
        try:
            await registry.publish(version)
        except Conflict as error:
            raise changed(folder, version, versions) from error
        except InvalidRequest as error:
            raise SettingError(f"{folder / file_of(version)}: {error.message}") from error


def _read_files(folder: Path) -> list[PromptVersion]:
    if not folder.is_dir():
        log.warning("there is no folder %s, so no prompt files are published; PROMPTS_DIR names another", folder)
        return []
    versions = read_prompt_files(folder)
    check_digests(folder, versions)
    return versions
