"""`python -m bench.hop`: what one call between two Python processes costs, by kind of stub and calls in flight."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

import psutil
import uvloop
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.channel import open_channel
from tollway_servicekit.context import call_metadata
from tollway_servicekit.contract import Contract
from tollway_servicekit.link.peers import open_links
from tollway_servicekit.process import run
from tollway_servicekit.serve import serving
from tollway_servicekit.stubs import link_stub, local_stub, plain_stub
from tollway_servicekit.testing import slow_path

CONTRACT = Contract.of(pb, "PromptRegistryService")
IN_FLIGHT = (1, 4, 16, 64)
KINDS = ("plain", "link", "local")
METADATA = call_metadata("default", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
REQUEST = pb.ResolvePromptRequest(name="x" * 1024)
ANSWER = pb.ResolvePromptResponse(text="x" * 1024)


class Echo:
    """Answers at once."""

    async def ResolvePrompt(self, request: Any, context: Any) -> pb.ResolvePromptResponse:  # noqa: N802
        return ANSWER

    async def PublishPrompt(self, request: Any, context: Any) -> pb.PublishPromptResponse:  # noqa: N802
        return pb.PublishPromptResponse()

    async def WatchPrompts(self, request: Any, context: Any) -> Any:  # noqa: N802
        yield pb.WatchPromptsResponse()


async def serve(stop: asyncio.Event) -> None:
    async with serving([(CONTRACT, Echo())], "127.0.0.1:0") as port:
        print(port, flush=True)
        await stop.wait()


async def measure(port: int, server: psutil.Process, arguments: argparse.Namespace) -> None:
    async with AsyncExitStack() as stack:
        if arguments.delay:
            port = await stack.enter_async_context(slow_path(port, arguments.delay / 1000))
        address = f"127.0.0.1:{port}"
        stubs = {
            "plain": plain_stub(CONTRACT, await stack.enter_async_context(open_channel(address))),
            "link": link_stub(CONTRACT, await stack.enter_async_context(open_links(address))),
            "local": local_stub(CONTRACT, Echo()),
        }
        figures: dict[tuple[str, int], list[tuple[float, float]]] = {}
        for _ in range(arguments.rounds):
            for workers in IN_FLIGHT:
                for kind, stub in stubs.items():
                    await _calls(stub, workers, arguments.calls // 5)
                    figures.setdefault((kind, workers), []).append(
                        await _cost(stub, workers, arguments.calls * (5 if kind == "local" else 1), server)
                    )
    print(f"{'µs of CPU a call, both ends':30}" + "".join(f"{kind:>10}" for kind in KINDS))
    for workers in IN_FLIGHT:
        row = [statistics.median(cpu for cpu, _ in figures[kind, workers]) for kind in KINDS]
        print(f"{workers:>4} in flight{'':16}" + "".join(f"{value:>10.1f}" for value in row))
    print(f"{'calls a second':30}" + "".join(f"{kind:>10}" for kind in KINDS))
    for workers in IN_FLIGHT:
        row = [statistics.median(rate for _, rate in figures[kind, workers]) for kind in KINDS]
        print(f"{workers:>4} in flight{'':16}" + "".join(f"{value:>10.0f}" for value in row))


async def _cost(stub: Any, workers: int, calls: int, server: psutil.Process) -> tuple[float, float]:
    """Return µs of CPU a call, and calls a second."""
    before, started = _cpu(server), time.perf_counter()
    await _calls(stub, workers, calls)
    return (_cpu(server) - before) / calls * 1e6, calls / (time.perf_counter() - started)


async def _calls(stub: Any, workers: int, calls: int) -> None:
    left = calls

    async def work() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await stub.ResolvePrompt(REQUEST, timeout=5, metadata=METADATA)

    await asyncio.gather(*(work() for _ in range(workers)))


def _cpu(server: psutil.Process) -> float:
    return time.process_time() + sum(server.cpu_times()[:2])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.hop", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=5000, help="for each kind, number in flight and round")
    parser.add_argument(
        "--delay", type=float, default=0, help="ms that bytes take each way; its CPU time is counted too"
    )
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        run(serve)
        return
    command = [sys.executable, "-m", "bench.hop", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        try:
            assert child.stdout is not None
            port = int(child.stdout.readline())
            uvloop.run(measure(port, psutil.Process(child.pid), arguments))
        finally:
            child.terminate()


if __name__ == "__main__":
    main()
