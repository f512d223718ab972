"""
How a service reads its settings: addresses and secrets from the environment, behaviour from its config.yaml section.

    env = Environment(os.environ)
    Settings(listen=env.text("LISTEN_ADDRESS", "0.0.0.0:50051"), cache=env.required("CACHE_ADDRESS", "host:port of …"))
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

Section = TypeVar("Section")

SECTIONS = frozenset({"models", "tiers", "edge", "cache", "provider_dispatch", "endpoints", "routes", "workspaces"})
"""Every section that some service reads; one file serves them all, so each of them knows the others' names."""


class SettingError(Exception):
    """A setting is missing or unusable; the message names it and says what it should be."""


class Environment:
    """Typed reads of environment variables; an empty variable counts as absent."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str, default: str = "") -> str:
        return self._variables.get(name, "").strip() or default

    def required(self, name: str, meaning: str) -> str:
        value = self.text(name)
        if not value:
            raise SettingError(f"{name} is missing, and has no default; set it to {meaning}")
        return value

    def integer(self, name: str, default: int) -> int:
        value = self.text(name)
        try:
            return int(value) if value else default
        except ValueError:
            raise SettingError(f"{name} must be a whole number, not {value!r}") from None

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.text(name).lower()
        if not value:
            return default
        if value in {"1", "true", "yes", "on"}:
            return True
        if value in {"0", "false", "no", "off"}:
            return False
        raise SettingError(f"{name} must be true or false, not {value!r}")

    def numbered(self, name: str, most: int = 5) -> tuple[str, ...]:
        """Values of NAME, NAME_2 … NAME_<most>, in order, absent ones left out."""
        names = [name, *(f"{name}_{number}" for number in range(2, most + 1))]
        return tuple(value for value in map(self.text, names) if value)


def read_config(path: str | Path, section: str, shape: type[Section]) -> Section:
    """
    Return one section of config.yaml; an absent file or section gives the shape's defaults.

    Raises:
        SettingError: The file is not YAML, or the section has an unknown key or a wrong type.
    """
    file = Path(path)
    document: Any = {}
    if path and file.exists():
        try:
            document = yaml.safe_load(file.read_text()) or {}
        except yaml.YAMLError as error:
            raise SettingError(f"{path} is not YAML: {error}") from error
        if not isinstance(document, dict):
            raise SettingError(f"{path} must be a mapping of sections")
        if unknown := document.keys() - SECTIONS:
            name, known = min(map(str, unknown)), ", ".join(sorted(SECTIONS))
            raise SettingError(f"{path}: there is no section {name!r}; the sections are {known}")
    try:
        return msgspec.convert(document.get(section) or {}, shape)
    except msgspec.ValidationError as error:
        raise SettingError(f"{path}, section {section}: {error}") from error
