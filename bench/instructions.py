"""
`python -m bench.instructions`: the instructions of each process for a request, as valgrind's callgrind counts them.

Times on a machine that others use vary by a tenth from run to run, instructions by less than a hundredth; they say
nothing of the kernel, of memory that is not at hand, and of how many the machine does at once.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import uvloop

from bench.cases import CASES
from bench.errors import BenchFailed
from bench.load import closed_loop, connected
from bench.measure import CONNECTIONS, FIRST_WARM_UP
from bench.processes import ROOT, TOPOLOGIES, start_targets

if TYPE_CHECKING:
    from pathlib import Path

    from bench.cases import Case
    from bench.processes import Target

REQUESTS = 1000
FOLDER = ROOT / ".tollway" / "instructions"
_TOTAL = re.compile(r"^totals: (\d+)", re.MULTILINE)


def main() -> None:
    arguments = _parser().parse_args()
    if shutil.which("valgrind") is None:
        raise BenchFailed("valgrind is not installed; every distribution has it")
    (case,) = (case for case in CASES if case.name == arguments.case)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with ExitStack() as stack:
        _, *targets = start_targets(stack, [arguments.topology], under=_callgrind())
        for target in targets:
            counted = uvloop.run(_count(target, case, max(CONNECTIONS, round(REQUESTS * case.share))))
            for name, instructions in counted.items():
                print(f"{target.name:12} {name:20} {instructions:10,.0f}")
            print(f"{target.name:12} {'in all':20} {sum(counted.values()):10,.0f}")
    print(f"for a request ({case.title}); callgrind_annotate shows where, of each file in {FOLDER}")


def _callgrind() -> tuple[str, ...]:
    """Return the command under which processes are counted once they are told to."""
    options = ("--tool=callgrind", "--trace-children=yes", "--trace-children-skip=*redis-server*")
    return ("valgrind", "-q", *options, "--instr-atstart=no", f"--callgrind-out-file={FOLDER}/%p")


async def _count(target: Target, case: Case, count: int) -> dict[str, float]:
    async with connected(target.host, target.port, CONNECTIONS) as connections:
        warm_up = round(CONNECTIONS * FIRST_WARM_UP * case.share)
        await closed_loop(connections, case.requests(target, warm_up), lambda _: None)
        pids = {name: process.pid for name, process in target.processes.items()}
        for pid in pids.values():
            _tell(pid, "--zero")
            _tell(pid, "--instr=on")
        await closed_loop(connections, case.requests(target, count), case.check(target))
        for pid in pids.values():
            _tell(pid, "--dump")
            _tell(pid, "--instr=off")
    return {name: _total(FOLDER / f"{pid}.1") / count for name, pid in pids.items()}


def _tell(pid: int, what: str) -> None:
    told = subprocess.run(["callgrind_control", what, str(pid)], capture_output=True, text=True, check=False)
    if told.returncode:
        raise BenchFailed(f"callgrind_control: {told.stderr.strip()}")


def _total(dump: Path) -> int:
    found = _TOTAL.search(dump.read_text(errors="replace"))
    if found is None:
        raise BenchFailed(f"{dump} tells no total")
    return int(found[1])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__)
    parser.add_argument("--topology", choices=TOPOLOGIES, default="compact")
    parser.add_argument("--case", choices=[case.name for case in CASES], default="json")
    return parser


if __name__ == "__main__":
    try:
        main()
    except BenchFailed as failed:
        sys.exit(f"nothing counted: {failed}")
