"""A published version of a prompt, and what makes one valid; used by the registry, the stores and the file reader."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from tollway_servicekit.errors import InvalidRequest

MAX_TEMPLATE_BYTES = 64 * 1024
NAME = re.compile("[a-z0-9][a-z0-9-]{0,62}")
_LAST_VERSION = 2**31 - 1


@dataclass(frozen=True, slots=True)
class PromptVersion:
    """One version of one prompt; never changes once it is published."""

    name: str
    version: int
    template: str

    @property
    def digest(self) -> str:
        """SHA-256 of the template, hex."""
        return hashlib.sha256(self.template.encode()).hexdigest()


def check_version(prompt: PromptVersion) -> None:
    """
    Check what can be checked without a template engine.

    Raises:
        InvalidRequest: Name, number or size is out of bounds.
    """
    if not NAME.fullmatch(prompt.name):
        raise InvalidRequest(
            "PROMPT_NAME_INVALID", "a prompt's name is lower-case letters, digits and hyphens, at most 63"
        )
    if not 1 <= prompt.version <= _LAST_VERSION:
        raise InvalidRequest("PROMPT_VERSION_INVALID", f"versions are counted from 1, not {prompt.version}")
    if not prompt.template.strip():
        raise InvalidRequest("PROMPT_TEMPLATE_INVALID", f"{prompt.name}@{prompt.version} is empty")
    if len(prompt.template.encode()) > MAX_TEMPLATE_BYTES:
        raise InvalidRequest(
            "PROMPT_TEMPLATE_INVALID", f"{prompt.name}@{prompt.version} is larger than {MAX_TEMPLATE_BYTES} bytes"
        )
