"""config.yaml, the READMEs and the settings classes that read the file name the same keys."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tollway_provider_dispatch.bootstrap import PROVIDER_NAMES
from tollway_servicekit.settings import SettingError

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config.yaml"
DOCUMENT: dict[str, dict[str, Any]] = yaml.safe_load(CONFIG.read_text())
READERS = [
    path.parent.name for path in sorted(ROOT.glob("services/*/*/settings.py")) if "read_config(" in path.read_text()
]
KEYS = [
    (section, key)
    for section, content in DOCUMENT.items()
    for key, value in content.items()
    if not isinstance(value, dict)
]
# sections whose keys are names of things, not settings: a model, a tier
TABLES = sorted(DOCUMENT.keys() - {section for section, _ in KEYS})


def load(package: str, config: Path) -> object:
    """Read the settings as the service does when it starts."""
    further = [PROVIDER_NAMES] if package == "tollway_provider_dispatch" else []
    return importlib.import_module(f"{package}.settings").Settings.from_env({"TOLLWAY_CONFIG": str(config)}, *further)


def refusals(document: dict[str, Any], folder: Path) -> list[str]:
    """Messages of the services that do not start with this file."""
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(document))
    messages = []
    for package in READERS:
        try:
            load(package, file)
        except SettingError as error:
            messages.append(str(error))
    return messages


def test_the_file_is_read_by_services_and_starts_them() -> None:
    assert {"tollway_edge", "tollway_cache", "tollway_provider_dispatch"} <= set(READERS)
    for package in READERS:
        load(package, CONFIG)


@pytest.mark.parametrize("section", DOCUMENT)
def test_every_section_is_read_by_a_service(section: str, tmp_path: Path) -> None:
    assert refusals(DOCUMENT | {section: ["no mapping"]}, tmp_path), f"nobody reads the section {section}"


@pytest.mark.parametrize("section", DOCUMENT)
def test_an_unknown_key_is_refused(section: str, tmp_path: Path) -> None:
    content = DOCUMENT[section]
    if section in TABLES:
        first = next(iter(content))
        content = content | {first: content[first] | {"misspelt": 1}}
    else:
        content = content | {"misspelt": 1}
    messages = refusals(DOCUMENT | {section: content}, tmp_path)
    assert any("misspelt" in message and section in message for message in messages)


@pytest.mark.parametrize(("section", "key"), KEYS, ids=lambda part: part)
def test_every_key_has_a_comment_above_or_beside_it(section: str, key: str) -> None:
    lines = CONFIG.read_text().splitlines()
    begin = lines.index(f"{section}:")
    number = next(index for index in range(begin, len(lines)) if re.match(rf"  {key}:", lines[index]))
    assert lines[number - 1].strip().startswith("# ") or " # " in lines[number]


@pytest.mark.parametrize("section", TABLES)
def test_every_table_has_a_comment_above_it(section: str) -> None:
    lines = CONFIG.read_text().splitlines()
    assert lines[lines.index(f"{section}:") - 1].startswith("# ")


@pytest.mark.parametrize("name", [*(f"{section}.{key}" for section, key in KEYS), *TABLES])
def test_every_key_is_in_a_services_readme(name: str) -> None:
    readmes = [path.read_text() for path in ROOT.glob("services/*/README.md")]
    assert any(f"\n| `{name}` |" in readme for readme in readmes), f"no service's README has a row for {name}"
