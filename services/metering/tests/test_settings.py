"""Settings and what is said where one is wrong."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tollway_metering.settings import Settings
from tollway_servicekit.settings import SettingError

README = Path(__file__).parents[1] / "README.md"


def test_defaults_need_a_key_only(key: str) -> None:
    settings = Settings.from_env({"DEFAULT_WORKSPACE_KEY": key})
    assert settings == Settings(hashlib.sha256(key.encode()).digest())
    assert settings.listen == "127.0.0.1:50054"


@pytest.mark.parametrize("key", ["", "tw_short", "sk-0123456789abcdefghij"])
def test_a_missing_or_weak_key_is_refused_and_the_message_tells_how_to_make_one(key: str) -> None:
    with pytest.raises(SettingError, match=r"secrets\.token_urlsafe") as error:
        Settings.from_env({"DEFAULT_WORKSPACE_KEY": key})
    assert not key or key not in str(error.value)


def test_a_negative_cap_is_refused(key: str) -> None:
    with pytest.raises(SettingError, match="LLM_MONTHLY_TOKEN_CAP_PER_WORKSPACE"):
        Settings.from_env({"DEFAULT_WORKSPACE_KEY": key, "LLM_MONTHLY_TOKEN_CAP_PER_WORKSPACE": "-1"})


def test_the_key_itself_is_nowhere_in_the_settings(key: str) -> None:
    assert key not in repr(Settings.from_env({"DEFAULT_WORKSPACE_KEY": key}))


@pytest.mark.parametrize(
    "name", ["DEFAULT_WORKSPACE_KEY", "LEDGER_PATH", "LISTEN_ADDRESS", "LLM_MONTHLY_TOKEN_CAP_PER_WORKSPACE"]
)
def test_the_readme_lists_the_setting(name: str) -> None:
    assert f"| `{name}` |" in README.read_text()
