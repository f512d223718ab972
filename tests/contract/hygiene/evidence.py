"""What a gateway leaves behind: logs, files, metrics, rows, cached answers, process titles; used by `conftest`."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import redis

if TYPE_CHECKING:
    from contract.hygiene.canaries import Canaries
    from contract.hygiene.canary_client import Answer
    from gateway import Gateway

# written for whoever started the topology, and gave it the key
FOR_THE_STARTER = {"ready.json"}
# what the test itself wrote there
GIVEN = {"config.yaml", "redis.conf", "v1.txt"}


@dataclass
class Evidence:
    """Everything by its place."""

    canaries: Canaries
    answers: list[Answer] = field(default_factory=list)
    log: bytes = b""
    metrics: bytes = b""
    series: list[set[bytes]] = field(default_factory=list)
    """Names and labels in /metrics, at several moments."""
    recent: bytes = b""
    simulator_log: bytes = b""
    simulator_output: bytes = b""
    processes: bytes = b""
    cache_keys: bytes = b""
    cached: bytes = b""
    files: dict[str, bytes] = field(default_factory=dict)
    keys_at_provider: set[str] = field(default_factory=set)


def files_under(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in FOR_THE_STARTER | GIVEN:
            with suppress(OSError):  # a temporary one that is gone by now
                found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def processes_of(gateway: Gateway) -> bytes:
    """Return name and command line of every process of the topology."""
    ours = [psutil.Process(pid) for pid in gateway.pids.values()]
    ours += [parent for parent in {process.parent() for process in ours} if "tollway" in " ".join(parent.cmdline())]
    lines = ["\0".join([process.name(), *process.cmdline()]) for process in ours]
    return "\n".join(lines).encode()


def dump_of(url: str) -> tuple[bytes, bytes]:
    """Return all keys and all values of a Redis."""
    with redis.Redis.from_url(url) as client:
        keys = list(client.scan_iter(count=1000))
        return b"\n".join(keys), b"\n".join(client.dump(key) or b"" for key in keys)


def series_in(metrics: bytes) -> set[bytes]:
    return set(re.findall(rb"^([a-z_]+(?:\{[^}]*\})?) ", metrics, re.MULTILINE))
