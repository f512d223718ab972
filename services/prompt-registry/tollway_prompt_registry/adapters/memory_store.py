"""The prompt store's memory twin: same behaviour, gone with the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tollway_prompt_registry.domain.prompts import PromptVersion


class MemoryStore:
    """Keeps versions in a dict."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, int], PromptVersion] = {}

    async def versions(self) -> list[PromptVersion]:
        return list(self._versions.values())

    async def add(self, version: PromptVersion) -> PromptVersion:
        return self._versions.setdefault((version.name, version.version), version)
