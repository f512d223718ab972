"""What the registry needs from outside: a store of versions and a template engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tollway_prompt_registry.domain.prompts import PromptVersion


class PromptStore(Protocol):
    """Keeps published versions for good. Raises `Unavailable` where it cannot."""

    async def versions(self) -> list[PromptVersion]:
        """Return all versions in the order in which they were published."""

    async def add(self, version: PromptVersion) -> PromptVersion:
        """Keep a version, unless that number is taken; return the one that is kept."""


class Template(Protocol):
    """A template that was understood."""

    def render(self, variables: Mapping[str, str]) -> str:
        """Return the text. Raises `InvalidRequest`, PROMPT_VARIABLES_INVALID, that names variables and quotes none."""


class TemplateEngine(Protocol):
    """Understands templates; every render is bounded in time and size, whatever the template says."""

    def compile(self, source: str) -> Template:
        """Return the template. Raises `InvalidRequest`, PROMPT_TEMPLATE_INVALID, without quoting it."""
