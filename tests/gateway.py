"""A running Tollway for tests: any topology, as processes of its own, with a simulator whose log can be asked."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]
KEY = "tw_contract-suite-0123456789"
COMMANDS = {
    "local": ("local",),
    "compact": ("processes", "compact"),
    "distributed": ("processes", "distributed"),
}
START_SECONDS = 120
# for suites whose provider fails on purpose: what it says comes back at once, and it is asked again the next time
ONE_TRY = {"retries": 0, "cooldowns": []}
# made once: loading the certificates of all authorities takes longer than a request
_TRUST = ssl.create_default_context()


@dataclass(eq=False)
class Gateway:
    """Addresses of one running topology."""

    topology: str
    url: str
    key: str
    simulator_url: str
    log: Path
    """What all its processes write to standard error."""
    pids: Mapping[str, int]
    """Its own processes by name; not the simulator's or Redis'."""
    _log_end: int = 1

    def recent(self, count: int = 50) -> list[dict[str, Any]]:
        """The ledger's latest calls, newest first."""
        answer = _get(f"{self.url}/v1/metrics/recent", params={"n": count}, headers={"x-api-key": self.key})
        return answer.raise_for_status().json()["calls"]

    def call(self, query_id: str) -> dict[str, Any]:
        """The one row of a call."""
        rows = [row for row in self.recent() if row["query_id"] == query_id]
        assert len(rows) == 1, f"{len(rows)} rows of call {query_id}"
        return rows[0]

    def log_end(self) -> int:
        """The number that the simulator's next log entry will have."""
        entries = _get(f"{self.simulator_url}/_simulator/log", params={"since": self._log_end}).json()
        if entries:
            self._log_end = entries[-1]["number"] + 1
        return self._log_end

    def await_served(self, since: int, **condition: int) -> dict[str, Any]:
        """The simulator's first log entry from `since` on that fits, as soon as there is one."""
        condition = {"since": since, "timeout": 10, **condition}
        answer = _get(f"{self.simulator_url}/_simulator/log/wait", params=condition, timeout=15)
        return answer.raise_for_status().json()


def config_with(folder: Path, **sections: dict[str, Any]) -> str:
    """Write the shipped config.yaml with other values in some of its sections; return its path."""
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    for name, values in sections.items():
        document[name] |= values
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(document))
    return str(file)


def _get(url: str, **options: Any) -> httpx2.Response:
    return httpx2.get(url, verify=_TRUST, **options)


@contextmanager
def running(topology: str, folder: Path, **variables: str) -> Iterator[Gateway]:
    """Start a topology in `folder`; end it with the block, and fail where it does not end cleanly."""
    ready = folder / "ready.json"
    environ = {
        "PATH": os.environ["PATH"],
        "TOLLWAY_CONFIG": str(ROOT / "config.yaml"),
        "PROMPTS_DIR": str(ROOT / "prompts"),
        "DEFAULT_WORKSPACE_KEY": KEY,
        "LISTEN_ADDRESS": "127.0.0.1:0",
        "LEDGER_PATH": str(folder / "ledger.sqlite3"),
        **variables,
    }
    command = [sys.executable, "-m", "tollway_topologies", *COMMANDS[topology], "--ready-file", str(ready)]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            _await_welcome(process, folder / "log.txt")
            told = json.loads(ready.read_text())
            yield Gateway(
                topology, told["url"], told["key"], told["simulator_url"], folder / "log.txt", told["processes"]
            )
        finally:
            process.terminate()
            code = process.wait(60)
            with process.stdout:
                (folder / "out.txt").write_text(process.stdout.read())
    assert code == 0, f"{topology} ended with {code}:\n{(folder / 'log.txt').read_text()[-2000:]}"


def _await_welcome(process: subprocess.Popen[str], log: Path) -> None:
    alarm = threading.Timer(START_SECONDS, process.kill)
    alarm.start()
    try:
        for line in process.stdout:
            if "Tollway is ready" in line:
                # the rest of what it prints is small and stays in the pipe
                return
    finally:
        alarm.cancel()
    raise AssertionError(f"it did not start:\n{log.read_text()[-3000:]}")
