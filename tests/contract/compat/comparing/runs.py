"""Runs a client's checks against one address, and reads what came of each."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any

RUN_SECONDS = 240
ONLY = os.environ.get("COMPAT_ONLY", "")
"""Text that the names of checks contain; all checks run where there is none."""
# what an environment's tools need to find themselves; nothing else of ours reaches a client
KEPT = ("PATH", "HOME", "LANG", "UV_CACHE_DIR", "XDG_CACHE_HOME")


@dataclass(frozen=True)
class Target:
    """Where a client is pointed at."""

    base_url: str
    key: str
    simulator_url: str


Outcomes = dict[str, dict[str, Any]]


def run_checks(command: list[str], client: str, target: Target) -> Outcomes:
    """Return what came of each check, by its name."""
    environ = {name: os.environ[name] for name in KEPT if name in os.environ} | {
        "COMPAT_BASE_URL": target.base_url,
        "COMPAT_KEY": target.key,
        "COMPAT_SIMULATOR_URL": target.simulator_url,
        "COMPAT_CLIENT": client,
        "COMPAT_ONLY": ONLY,
    }
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=RUN_SECONDS)
    assert done.returncode == 0, f"the checks of {client} ended with {done.returncode}:\n{done.stderr[-3000:]}"
    lines = [json.loads(line) for line in done.stdout.split("\n") if line.startswith('{"check"')]
    return {line.pop("check"): line for line in lines}
