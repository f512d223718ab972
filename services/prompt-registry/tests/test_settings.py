"""Settings and their README."""

from __future__ import annotations

from pathlib import Path

import pytest
from tollway_prompt_registry.settings import Settings

README = Path(__file__).parents[1] / "README.md"


def test_the_defaults_are_those_of_the_class() -> None:
    assert Settings.from_env({}) == Settings()


def test_every_setting_is_read() -> None:
    environ = {"PROMPTS_DIR": "/p", "PROMPT_STORE_PATH": "/s", "LISTEN_ADDRESS": "h:1"}
    assert Settings.from_env(environ) == Settings(Path("/p"), Path("/s"), "h:1")


@pytest.mark.parametrize("name", ["PROMPTS_DIR", "PROMPT_STORE_PATH", "LISTEN_ADDRESS"])
def test_the_readme_lists_the_setting(name: str) -> None:
    assert f"| `{name}` |" in README.read_text()
