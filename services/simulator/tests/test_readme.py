"""The README lists every directive, every endpoint and every name of an error's kind that a script may ask for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from tollway_simulator.domain.script import Script
from tollway_simulator.domain.script_queue import ScriptedPath

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_every_directive_is_listed_and_no_other():
    listed = set(re.findall(r"^\| `\[([a-z_]+)", README, flags=re.MULTILINE))
    assert listed == set(Script.__struct_fields__)


def test_every_path_that_takes_scripts_is_listed():
    assert all(f"{path}`" in README for path in get_args(ScriptedPath))
