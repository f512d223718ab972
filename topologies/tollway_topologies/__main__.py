"""
`python -m tollway_topologies local|compact|processes`: the same services put together in other ways.

* `local`: everything in one process with embedded backends; what `make run` starts.
* `compact`: edge, cache, classifier and provider-dispatch in one process; what the chart's compact Deployment runs.
* `processes distributed|compact`: every process of a topology on this machine, with a Redis of its own.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv import dotenv_values
from tollway_servicekit.process import run

from tollway_topologies.compact import serve_compact
from tollway_topologies.local import serve_local
from tollway_topologies.processes import serve_processes

if TYPE_CHECKING:
    import asyncio


def main() -> None:
    arguments = _parser().parse_args()
    from_file = {name: value for name, value in dotenv_values(".env").items() if value}
    environ = from_file | {name: value for name, value in os.environ.items() if value}
    os.environ.update(environ)

    async def serve(stop: asyncio.Event) -> None:
        if arguments.topology == "compact":
            await serve_compact(environ, stop)
        elif arguments.topology == "local":
            await serve_local(environ, stop, arguments.ready_file)
        else:
            await serve_processes(arguments.kind, environ, stop, arguments.ready_file)

    run(serve)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tollway_topologies", description=__doc__)
    topologies = parser.add_subparsers(dest="topology", required=True)
    ready_file = {"type": Path, "help": "write address, key and process ids there as JSON once calls can be served"}
    topologies.add_parser("local").add_argument("--ready-file", **ready_file)  # type: ignore[arg-type]
    topologies.add_parser("compact")
    processes = topologies.add_parser("processes")
    processes.add_argument("kind", choices=["distributed", "compact"])
    processes.add_argument("--ready-file", **ready_file)  # type: ignore[arg-type]
    return parser


if __name__ == "__main__":
    main()
