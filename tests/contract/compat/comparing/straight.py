"""What clients noticed straight against the simulator; made once for all topologies and workers."""

from __future__ import annotations

import fcntl
import json
from typing import TYPE_CHECKING

from comparing.runs import Target, run_checks

if TYPE_CHECKING:
    from pathlib import Path

    from comparing.clients import Client
    from comparing.runs import Outcomes

KEY = "sk-straight-0123456789"


class StraightRuns:
    """Keeps them in a folder that the workers of one test run share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, client: Client, command: list[str], simulator_url: str) -> Outcomes:
        kept = self._folder / f"straight {client.name}.json"
        with kept.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                outcomes = run_checks(command, client.name, Target(simulator_url, KEY, simulator_url))
                kept.write_text(json.dumps(outcomes))
        return json.loads(kept.read_text())
