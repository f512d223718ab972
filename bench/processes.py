"""Starts what is measured, knows what it has used, and ends it whatever happens; used by `__main__`."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
from tollway_topologies.addresses import free_address

from bench.cpu import cpu_seconds
from bench.errors import BenchFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import ExitStack

ROOT = Path(__file__).parents[1]
START_SECONDS = 60.0
STOP_SECONDS = 40.0
TOPOLOGIES = ("compact", "distributed")


@dataclass(frozen=True)
class Target:
    """Something that answers POST /v1/messages."""

    name: str
    host: str
    port: int
    key: str
    processes: Mapping[str, psutil.Process]
    """The ones whose CPU and memory count, by name."""
    is_tollway: bool
    memory: Mapping[str, float]
    """MiB of each right after the start, by kind (rss, and pss where the system tells it), summed."""

    @classmethod
    def of(cls, name: str, url: str, key: str, pids: Mapping[str, int], *, is_tollway: bool) -> Target:
        address = urlsplit(url)
        processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        memory = _memory([process for root in processes.values() for process in _with_children(root)])
        return cls(name, address.hostname, address.port, key, processes, is_tollway, memory)

    def cpu_seconds(self) -> float:
        """Return user and system time so far, of children too."""
        total = 0.0
        for name, root in self.processes.items():
            try:
                total += sum(cpu_seconds(process) for process in _with_children(root))
            except psutil.NoSuchProcess:
                raise BenchFailed(f"{name} of {self.name} ended on its own; its messages stand above") from None
        return total


def start_targets(
    stack: ExitStack, topologies: Sequence[str] = TOPOLOGIES, under: Sequence[str] = (), against: Path | None = None
) -> list[Target]:
    """
    Start upstream, relay and topologies; return the upstream itself first, then those that stand before it.

    Args:
        stack: Ends them.
        topologies: Which.
        under: A command that runs relay and topologies with all their processes.
        against: Another checkout that is set up, whose topologies are started, too.
    """
    if against and not _python_of(against).exists():
        raise BenchFailed(f"{against} is not set up: run `make -C {against} setup`")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tollway-bench-")))
    key = f"tw_{secrets.token_urlsafe(24)}"
    upstream = _start_upstream(stack, folder)
    targets = [Target.of("upstream", upstream, key, {}, is_tollway=False), _start_relay(stack, upstream, key, under)]
    variables = {"SIMULATOR_URL": upstream, "DEFAULT_WORKSPACE_KEY": key}
    for checkout in (ROOT, against) if against else (ROOT,):
        targets += [_start_topology(stack, kind, folder, variables, under, checkout) for kind in topologies]
    return targets


def _start_upstream(stack: ExitStack, folder: Path) -> str:
    address = free_address()
    command = (sys.executable, "-m", "tollway_simulator")
    child = stack.enter_context(_child(*command, environ={"LISTEN_ADDRESS": address}, folder=folder))
    child.await_port(_port(address))
    repeater = free_address()
    command = (sys.executable, "-m", "bench.upstream", f"http://{address}", str(_port(repeater)))
    stack.enter_context(_child(*command, environ={}, folder=ROOT)).await_port(_port(repeater))
    return f"http://{repeater}"


def _start_relay(stack: ExitStack, upstream: str, key: str, under: Sequence[str]) -> Target:
    address = free_address()
    port = _port(address)
    command = (*under, sys.executable, "-m", "bench.relay", upstream, str(port))
    child = stack.enter_context(_child(*command, environ={}, folder=ROOT))
    child.await_port(port)
    return Target.of("relay", f"http://{address}", key, {"relay": child.process.pid}, is_tollway=False)


def _start_topology(
    stack: ExitStack, kind: str, folder: Path, variables: Mapping[str, str], under: Sequence[str], checkout: Path
) -> Target:
    name = kind if checkout == ROOT else f"{kind}, other"
    environ = {
        "LISTEN_ADDRESS": "127.0.0.1:0",
        "TOLLWAY_CONFIG": str(checkout / "config.yaml"),
        "PROMPTS_DIR": str(checkout / "prompts"),
        "PROMPT_STORE_PATH": str(folder / f"{name}-prompts.sqlite3"),
        **variables,
    }
    ready_file = folder / f"{name}.json"
    command = (*under, str(_python_of(checkout)), "-m", "tollway_topologies", "processes", kind)
    child = stack.enter_context(_child(*command, "--ready-file", str(ready_file), environ=environ, folder=folder))
    child.wait_until(ready_file.exists)
    ready = json.loads(ready_file.read_bytes())
    return Target.of(name, ready["url"], ready["key"], ready["processes"], is_tollway=True)


def _python_of(checkout: Path) -> Path:
    return Path(sys.executable) if checkout == ROOT else checkout / ".venv" / "bin" / "python"


class _Child:
    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._name = name
        self._family: list[psutil.Process] = []

    def await_port(self, port: int) -> None:
        def accepts() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        self.wait_until(accepts)

    def wait_until(self, serves: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not serves():
            if self.process.poll() is not None:
                raise BenchFailed(f"{self._name} ended before it served; its messages stand above")
            if time.monotonic() > deadline:
                raise BenchFailed(f"{self._name} did not serve within {START_SECONDS:.0f} s")
            time.sleep(0.05)
        self._family = psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        """Ask it to end; what is still there after a while, or after a second Ctrl-C, is killed."""
        try:
            self.process.terminate()
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"{self._name} did not end within {STOP_SECONDS:.0f} s and is killed", file=sys.stderr)
        finally:
            self.process.kill()
            self.process.wait()
            for process in self._family:
                if process.is_running():  # compares start times: an id that was given away is not ours
                    process.kill()


@contextmanager
def _child(*command: str, environ: Mapping[str, str], folder: Path) -> Iterator[_Child]:
    # nothing of the caller's settings: a provider key or a .env would send the load to a provider
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    process = subprocess.Popen(
        command,
        env=kept | {"LOG_LEVEL": "warning"} | dict(environ),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches the bench alone, which then ends its children
    )
    child = _Child(command[command.index("-m") + 1], process)
    try:
        yield child
    finally:
        child.end()


def _with_children(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _memory(processes: list[psutil.Process]) -> dict[str, float]:
    infos = [process.memory_full_info() for process in processes]
    kinds = [kind for kind in ("pss", "rss") if all(hasattr(info, kind) for info in infos)]
    return {kind: sum(getattr(info, kind) for info in infos) / 2**20 for kind in kinds}


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
