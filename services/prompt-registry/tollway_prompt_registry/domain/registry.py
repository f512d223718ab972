"""Publishes, resolves and announces prompt versions; the servicer's only door."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tollway_servicekit.errors import Conflict, NotFound

from tollway_prompt_registry.domain.prompts import NAME, PromptVersion, check_version

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from tollway_prompt_registry.domain.ports import PromptStore, Template, TemplateEngine


class PromptRegistry:
    """
    Holds every version in memory, in front of its store; `load` fills it at start.

    A watcher is a position in the list of versions: nothing is kept per watcher, so none can leak or hold up another.
    """

    def __init__(self, store: PromptStore, engine: TemplateEngine) -> None:
        self._store = store
        self._engine = engine
        self._published: list[PromptVersion] = []
        self._by_name: dict[str, dict[int, PromptVersion]] = {}
        self._templates: dict[PromptVersion, Template] = {}
        self._changed = asyncio.Event()
        self._is_ended = False

    async def load(self) -> None:
        for version in await self._store.versions():
            self._remember(version)

    async def publish(self, version: PromptVersion) -> PromptVersion:
        """
        Add a version; the same text again changes nothing.

        Raises:
            InvalidRequest: Name, number or template is not valid.
            Conflict: The version is published with another text.
        """
        check_version(version)
        self._engine.compile(version.template)
        # a caller that leaves must not part what the store has from what watchers are told
        kept = await asyncio.shield(asyncio.ensure_future(self._keep(version)))
        if kept.template != version.template:
            raise Conflict(
                "PROMPT_VERSION_IMMUTABLE",
                f"{version.name}@{version.version} is published with another text and never changes; "
                f"publish the new text as version {max(self._by_name[version.name]) + 1}",
            )
        return kept

    def resolve(self, name: str, number: int, variables: Mapping[str, str]) -> tuple[PromptVersion, str]:
        """
        Return a version (0: the latest) and its text.

        Raises:
            NotFound: There is no such prompt or version.
            InvalidRequest: The variables do not fit.
        """
        version = self._find(name, number)
        template = self._templates.get(version)
        if template is None:
            template = self._templates[version] = self._engine.compile(version.template)
        return version, template.render(variables)

    async def watch(self) -> AsyncGenerator[list[PromptVersion], None]:
        """Yield all versions at once, even where there is none, then those that are new."""
        told = -1
        while not self._is_ended:
            changed = self._changed
            if told < len(self._published):
                news = self._published[max(told, 0) :]
                told = len(self._published)
                yield news
            await changed.wait()

    def end_watches(self) -> None:
        """End every watch, so that a server that stops need not wait for them."""
        self._is_ended = True
        self._changed.set()

    async def _keep(self, version: PromptVersion) -> PromptVersion:
        kept = await self._store.add(version)
        self._remember(kept)
        return kept

    def _remember(self, version: PromptVersion) -> None:
        versions = self._by_name.setdefault(version.name, {})
        if version.version in versions:
            return
        versions[version.version] = version
        self._published.append(version)
        before, self._changed = self._changed, asyncio.Event()
        before.set()

    def _find(self, name: str, number: int) -> PromptVersion:
        versions = self._by_name.get(name)
        if not versions:
            shown = name if NAME.fullmatch(name) else "of that name"
            raise NotFound("PROMPT_NOT_FOUND", f"there is no prompt {shown}; publish it first")
        version = versions.get(number or max(versions))
        if version is None:
            raise NotFound("PROMPT_NOT_FOUND", f"{name} has no version {number}; its latest is {max(versions)}")
        return version
