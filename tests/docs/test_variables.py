"""Every environment variable that the code reads is in .env.example and in its service's README, and no other is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from dotenv import dotenv_values
from tollway_provider_dispatch.bootstrap import PROVIDER_NAMES

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / ".env.example"
SETTINGS = sorted(ROOT.glob("services/*/tollway_*/settings.py"))
SOURCES = [
    path
    for folder in ("libs", "services", "topologies")
    for path in sorted((ROOT / folder).rglob("tollway_*/**/*.py"))
    if "tests" not in path.parts and "site-packages" not in path.parts
]
# methods of servicekit's Environment, and the plain read of a mapping
READS = {"text", "required", "integer", "flag", "numbered", "get"}
NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")


def variables_read(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READS):
            continue
        for name in _spelled_out(node.args[0]) if node.args else ():
            names.add(name)
            if node.func.attr == "numbered":
                names |= {f"{name}_{number}" for number in range(2, 6)}
    return {name for name in names if NAME.fullmatch(name)}


def _spelled_out(argument: ast.expr) -> list[str]:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return [argument.value]
    if isinstance(argument, ast.JoinedStr):  # f"{name.upper()}_API_KEY", for each provider
        parts = [part.value if isinstance(part, ast.Constant) else None for part in argument.values]
        return ["".join(provider.upper() if part is None else part for part in parts) for provider in PROVIDER_NAMES]
    return []


def offered() -> list[str]:
    return re.findall(r"^# ([A-Z][A-Z0-9_]*)=$", EXAMPLE.read_text(), re.MULTILINE)


def test_the_search_finds_plain_numbered_and_composed_names(tmp_path: Path) -> None:
    source = tmp_path / "settings.py"
    source.write_text('env.required("AN_ADDRESS", "x")\nenv.numbered(f"{name.upper()}_API_KEY")\nother.text("lower")\n')
    expected = {f"{provider.upper()}_API_KEY" for provider in PROVIDER_NAMES}
    expected |= {f"{name}_{number}" for name in expected for number in (2, 3, 4, 5)}
    assert variables_read(source) == {"AN_ADDRESS", *expected}


def test_env_example_lists_what_is_read_and_nothing_else() -> None:
    read = set().union(*map(variables_read, SOURCES))
    assert {"LOG_LEVEL", "LISTEN_ADDRESS", "DEFAULT_WORKSPACE_KEY"} <= read
    assert sorted(offered()) == sorted(read)


def test_a_copy_of_env_example_changes_nothing() -> None:
    assert dotenv_values(EXAMPLE) == {}


def test_every_variable_of_env_example_stands_under_a_comment() -> None:
    for paragraph in EXAMPLE.read_text().strip().split("\n\n"):
        first = paragraph.splitlines()[0]
        assert first.startswith("# ")
        assert "=" not in first, f"what is {first} for?"


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda path: path.parent.name)
def test_a_services_readme_has_all_its_variables(settings: Path) -> None:
    read = variables_read(settings)
    assert "LISTEN_ADDRESS" in read
    readme = (settings.parents[1] / "README.md").read_text()
    rows = "\n".join(line for line in readme.splitlines() if line.startswith("|"))
    missing = [name for name in sorted(read | {"LOG_LEVEL"}) if not _has(rows, name)]
    assert not missing, f"{settings.parents[1].name}/README.md has no row for {', '.join(missing)}"


def _has(rows: str, name: str) -> bool:
    numbered = re.fullmatch(r"(.*_API_KEY)_[2-5]", name)  # one row for all: `X_API_KEY_2` … `_5`
    return f"`{name}`" in rows or bool(numbered and f"`{numbered[1]}_2` … `_5`" in rows)
