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

from bench.errors import BenchFailed
from bench.figures import figures_of, machine
from bench.measure import CONNECTIONS, RATE, Bench
from bench.processes import start_targets
from bench.table import render


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
        upstream, *targets = start_targets(stack)
        bench = Bench(upstream, targets, arguments.requests, _tell)
        measured = uvloop.run(bench.run(arguments.rounds))
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


def _tell(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=_at_least(1), default=5, help="interleaved rounds (default 5)")
    parser.add_argument(
        "--requests", type=_at_least(100), default=2000, help="JSON requests for each target and round (default 2000)"
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


if __name__ == "__main__":
    main()
