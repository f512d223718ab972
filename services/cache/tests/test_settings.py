"""Where the cache's settings come from, and that its README names each."""

from __future__ import annotations

from pathlib import Path

import pytest
from tollway_cache.settings import CacheSection, Settings
from tollway_servicekit.settings import SettingError

SERVICE = Path(__file__).parents[1]


def read(config: Path, **variables: str) -> Settings:
    return Settings.from_env({"TOLLWAY_CONFIG": str(config), **variables})


def test_without_any_setting_answers_stay_in_memory_for_a_day(tmp_path: Path) -> None:
    assert read(tmp_path / "none.yaml") == Settings("127.0.0.1:50051", "", 86_400, 268_435_456)


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("cache: {redis_url: 'redis://file:6379', exact_ttl: 60, memory_max_bytes: 1}")
    assert read(config).redis_url == "redis://file:6379"
    settings = read(config, CACHE_REDIS_URL="redis://environment:6379", LISTEN_ADDRESS="0.0.0.0:1")
    assert settings == Settings("0.0.0.0:1", "redis://environment:6379", 60, 1)


@pytest.mark.parametrize("line", ["exakt_ttl: 60", "exact_ttl: soon", "exact_ttl: 0", "memory_max_bytes: -1"])
def test_a_wrong_key_or_value_is_told_by_name(tmp_path: Path, line: str) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"cache: {{{line}}}")
    with pytest.raises(SettingError, match=line.split(":")[0]):
        read(config)


def test_the_shipped_config_is_accepted() -> None:
    read(SERVICE.parents[1] / "config.yaml")


def test_the_readme_names_every_setting() -> None:
    readme = (SERVICE / "README.md").read_text()
    for name in ("LISTEN_ADDRESS", "CACHE_REDIS_URL", *(f"cache.{key}" for key in CacheSection.__struct_fields__)):
        assert f"`{name}`" in readme
