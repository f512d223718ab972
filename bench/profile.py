"""`python -m bench.profile`: a flame graph of each process of a topology while it answers one kind of request."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from bench.cases import CASES
from bench.errors import BenchFailed
from bench.load import closed_loop, connected
from bench.measure import CONNECTIONS, FIRST_WARM_UP
from bench.processes import ROOT, TOPOLOGIES, start_targets

if TYPE_CHECKING:
    from bench.cases import Case
    from bench.processes import Target

RATE = 500  # samples a second
BATCH = 500  # requests between two looks at whether the samplers have ended
FOLDER = ROOT / ".tollway" / "profile"


def main() -> None:
    arguments = _parser().parse_args()
    (case,) = (case for case in CASES if case.name == arguments.case)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        *_, target = start_targets(stack, [arguments.topology])
        written = uvloop.run(_profile(target, case, arguments.seconds))
    print(*written, sep="\n")


async def _profile(target: Target, case: Case, seconds: int) -> list[Path]:
    async with connected(target.host, target.port, CONNECTIONS) as connections:
        await closed_loop(connections, case.requests(target, CONNECTIONS * FIRST_WARM_UP), lambda _: None)
        graphs = [FOLDER / f"{target.name}-{case.name}-{name}.svg" for name in target.processes]
        pids = [process.pid for process in target.processes.values()]
        samplers = [await _sampler(pid, graph, seconds) for pid, graph in zip(pids, graphs, strict=True)]
        while any(sampler.returncode is None for sampler in samplers):
            await closed_loop(connections, case.requests(target, BATCH), case.check(target))
    outcomes = [await _has_written(sampler) for sampler in samplers]
    return [graph for graph, has_written in zip(graphs, outcomes, strict=True) if has_written]


async def _has_written(sampler: asyncio.subprocess.Process) -> bool:
    """Say whether there is a graph; one of a process that had nothing to do is not."""
    _, said = await sampler.communicate()
    is_idle = b"No stack counts" in said
    if sampler.returncode and not is_idle:
        raise BenchFailed(f"py-spy: {said.decode().strip()}")
    return not is_idle


async def _sampler(pid: int, graph: Path, seconds: int) -> asyncio.subprocess.Process:
    options = ("--pid", str(pid), "--duration", str(seconds), "--rate", str(RATE), "--output", str(graph))
    return await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("py-spy")),
        *("record", "--gil", "--nonblocking", *options),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--topology", choices=TOPOLOGIES, default="compact")
    parser.add_argument("--case", choices=[case.name for case in CASES], default="json")
    parser.add_argument("--seconds", type=int, default=10)
    return parser


if __name__ == "__main__":
    try:
        main()
    except BenchFailed as failed:
        sys.exit(f"no graphs: {failed}")
