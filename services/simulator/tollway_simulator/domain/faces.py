"""The providers whose faces the simulator has, and the path that each begins with; asked of every request."""

from __future__ import annotations

from typing import Literal

Face = Literal["anthropic", "openai", "google", "deepseek", "huggingface", "openrouter"]

PREFIXES: dict[str, Face] = {
    "/anthropic": "anthropic",
    "/openai": "openai",
    "/google": "google",
    "/deepseek": "deepseek",
    "/huggingface": "huggingface",
    "/openrouter/api": "openrouter",
}
"""What stands in place of a provider's own host, so that its own path follows."""


def split_face(path: str) -> tuple[Face | None, str]:
    """Return whose path it is, None where no prefix says so, and the path as the provider itself would see it."""
    if path.startswith("/v1/"):
        return None, path
    for prefix, face in PREFIXES.items():
        if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/"):
            return face, path[len(prefix) :] or "/"
    return None, path
