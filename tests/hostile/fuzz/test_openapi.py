"""Every route of /openapi.json, asked by schemathesis in all ways that the schema allows and forbids."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway import Gateway

SEED = os.environ.get("FUZZ_SEED") or "20261121"
# for each route; a whole run of `make fuzz` has as many as schemathesis takes by default
EXAMPLES = "100" if os.environ.get("FUZZ_REQUESTS") else "20"
PHASES = "examples,coverage,fuzzing"


@pytest.mark.parametrize(
    "gateway", [pytest.param("compact", marks=pytest.mark.xdist_group("hostile-compact"))], indirect=True
)
def test_the_schema_tells_what_the_routes_do(
    gateway: Gateway, tmp_path: Path, record_property: Callable[[str, Any], None]
) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{gateway.url}/openapi.json"]
    options = ["--header", f"x-api-key: {gateway.key}", "--seed", SEED, "--max-examples", EXAMPLES]
    told = ["--checks", "all", "--phases", PHASES, "--continue-on-failure", "--no-color"]
    run = subprocess.run([*command, *options, *told], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    told_of = re.search(r"Tested: (\d+)[\s\S]*Test cases:\s+(\d+) generated", run.stdout)
    assert told_of, run.stdout[-6000:] + run.stderr[-2000:]
    row = {"topology": gateway.topology, "seed": int(SEED), "routes": int(told_of[1]), "requests": int(told_of[2])}
    record_property("table", {"title": "requests that schemathesis made of /openapi.json", "row": row})
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
