"""What a topology decides before it starts, and what it tells once it has."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest
from tollway_topologies.local import needs_simulator
from tollway_topologies.ready import Ready, local_key, welcome

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_key_is_made_once_and_nobody_else_may_read_it(folder: Path) -> None:
    before = os.umask(0)
    try:
        key = local_key({})
    finally:
        os.umask(before)
    assert key.startswith("tw_")
    assert len(key) > 30
    assert local_key({}) == key
    assert [file.name for file in (folder / ".tollway").iterdir()] == ["key"]
    assert stat.S_IMODE((folder / ".tollway/key").stat().st_mode) == 0o600


def test_a_key_of_the_environment_comes_first_and_makes_no_file(folder: Path) -> None:
    assert local_key({"DEFAULT_WORKSPACE_KEY": "tw_given"}) == "tw_given"
    assert not (folder / ".tollway").exists()


@pytest.mark.parametrize("environ", [{}, {"ANTHROPIC_API_KEY": " "}, {"SIMULATOR_URL": ""}, {"OTHER_API_KEY": "k"}])
def test_where_nobody_could_answer_the_simulator_is_needed(environ: dict[str, str]) -> None:
    assert needs_simulator(environ)


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY_5", "SIMULATOR_URL"])
def test_with_a_providers_key_or_a_simulator_elsewhere_it_is_not(name: str) -> None:
    assert not needs_simulator({name: "something"})


def test_ready_is_told_to_programs_and_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "ready.json"
    welcome(Ready("http://a:1", "tw_k", "", {"local": 7}), "in one process", file)
    told = {"url": "http://a:1", "key": "tw_k", "simulator_url": "", "processes": {"local": 7}}
    assert json.loads(file.read_bytes()) == told
    printed = capsys.readouterr().out
    assert "Tollway is ready at http://a:1 (in one process); calls go to the providers" in printed
    assert 'curl http://a:1/v1/messages -H "x-api-key: tw_k"' in printed
    assert list(folder.iterdir()) == [file]
