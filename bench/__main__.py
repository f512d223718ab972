"""`python -m bench`: measures relay, compact and distributed in one interleaved run and prints one table."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import uvloop

from bench.cases import CASES
from bench.errors import BenchFailed
from bench.figures import figures_of, machine
from bench.measure import CONNECTIONS, RATE, Bench, Plan
from bench.processes import TOPOLOGIES, start_targets
from bench.table import render

LATENCY = "latency"
CASE_NAMES = (*(case.name for case in CASES), LATENCY)


def main() -> None:
    arguments = _parser().parse_args()
    # one way to be stopped, in the background too: whatever runs is left through its `finally`
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        _run(arguments)
    except BenchFailed as failed:
        sys.exit(f"no figures: {failed}")
    except KeyboardInterrupt:
        sys.exit(130)


def _run(arguments: argparse.Namespace) -> None:
    started = time.monotonic()
    about = machine()
    with ExitStack() as stack:
        _tell("start")
        upstream, *targets = start_targets(stack, arguments.topologies, against=arguments.against)
        measured = uvloop.run(Bench(upstream, targets, _plan(arguments), _tell).run())
        _tell("stop")
    _tell("")
    figures = figures_of(measured, upstream, targets) | {"machine": about}
    figures["settings"] = {"rounds": arguments.rounds, "requests": arguments.requests, "connections": CONNECTIONS}
    settings = (
        f"medians of {arguments.rounds} rounds of {arguments.requests} requests, {CONNECTIONS} connections, "
        f"latency at {RATE:.0f} requests/s, {time.monotonic() - started:.0f} s in all"
    )
    print(render(figures, settings))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def _plan(arguments: argparse.Namespace) -> Plan:
    cases = [case for case in CASES if case.name in arguments.cases]
    return Plan(cases, LATENCY in arguments.cases, arguments.rounds, arguments.requests)


def _tell(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=_at_least(1), default=7, help="interleaved rounds (default 7)")
    parser.add_argument(
        "--requests", type=_at_least(100), default=2000, help="JSON requests for each target and round (default 2000)"
    )
    parser.add_argument(
        "--cases", type=_some_of(CASE_NAMES), default=CASE_NAMES, help=f"some of {','.join(CASE_NAMES)} (default all)"
    )
    parser.add_argument(
        "--topologies", type=_some_of(TOPOLOGIES), default=TOPOLOGIES, help=f"some of {','.join(TOPOLOGIES)}"
    )
    parser.add_argument(
        "--against",
        type=lambda path: Path(path).resolve(),
        metavar="CHECKOUT",
        help="another checkout that is set up, measured in the same rounds",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    return parser


def _at_least(least: int):
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"at least {least}")
        return value

    return number


def _some_of(known: tuple[str, ...]):
    def names(text: str) -> tuple[str, ...]:
        chosen = text.split(",")
        if unknown := set(chosen) - set(known):
            raise argparse.ArgumentTypeError(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return tuple(name for name in known if name in chosen)

    return names


if __name__ == "__main__":
    main()
