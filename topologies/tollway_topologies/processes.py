"""Every process of a topology on this machine, each service alone as in a cluster; for development, tests and bench."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tollway_servicekit.settings import Environment, SettingError

from tollway_topologies.children import Child, await_grpc, await_http, await_tcp
from tollway_topologies.local import needs_simulator
from tollway_topologies.ready import Ready, local_key, welcome

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA_PLANE = ("cache", "classifier", "provider-dispatch")
CONTROL_PLANE = ("metering", "prompt-registry")


async def serve_processes(kind: str, environ: Mapping[str, str], stop: asyncio.Event, ready_file: Path | None) -> None:
    """Start all processes of `distributed` or `compact`, and end them all when told to, or when one of them ends."""
    env = {**environ, "DEFAULT_WORKSPACE_KEY": local_key(environ)}
    children: list[Child] = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tollway-")))

        async def start(name: str, *command: str, **variables: str) -> Child:
            child = await Child.start(name, command, {**env, **variables})
            stack.push_async_callback(child.stop)
            children.append(child)
            return child

        await _start_redis(start, env, folder)
        if needs_simulator(env):
            address = free_address()
            await start("simulator", *_python("tollway_simulator"), LISTEN_ADDRESS=address)
            env["SIMULATOR_URL"] = f"http://{address}"
            await await_tcp(address)
        env.setdefault("LEDGER_PATH", str(folder / "ledger.sqlite3"))
        services = CONTROL_PLANE if kind == "compact" else (*CONTROL_PLANE, *DATA_PLANE)
        for name in services:
            env[f"{name.upper().replace('-', '_')}_ADDRESS"] = address = free_address()
            await start(name, *_python(f"tollway_{name.replace('-', '_')}"), LISTEN_ADDRESS=address)
        for name in services:
            await await_grpc(env[f"{name.upper().replace('-', '_')}_ADDRESS"])
        address = _edge_address(env)
        module = ("tollway_topologies", "compact") if kind == "compact" else ("tollway_edge",)
        await start("compact" if kind == "compact" else "edge", *_python(*module), LISTEN_ADDRESS=address)
        await await_http(f"http://{address}/health")

        ours = {child.name: child.pid for child in children if child.name not in {"redis", "simulator"}}
        ready = Ready(f"http://{address}", env["DEFAULT_WORKSPACE_KEY"], env.get("SIMULATOR_URL", ""), ours)
        welcome(ready, f"{kind}, {len(ours)} processes, Ctrl-C ends them", ready_file)
        await _until_stopped(stop, children)


async def _start_redis(start: Any, env: dict[str, str], folder: Path) -> None:
    if Environment(env).text("CACHE_REDIS_URL"):
        return
    binary = shutil.which("redis-server")
    if binary is None:
        raise SettingError("redis-server is missing: install it (Debian: apt install redis) or set CACHE_REDIS_URL")
    address = free_address()
    port = address.rpartition(":")[2]
    options = ("--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder))
    await start("redis", binary, *options, "--loglevel", "warning")
    env["CACHE_REDIS_URL"] = f"redis://{address}/0"
    await await_tcp(address)


async def _until_stopped(stop: asyncio.Event, children: list[Child]) -> None:
    waiting: dict[asyncio.Task[Any], str] = {asyncio.create_task(stop.wait()): ""}
    waiting |= {asyncio.create_task(child.ended()): child.name for child in children}
    done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    names = [waiting[task] for task in done if waiting[task]]
    if names and not stop.is_set():
        sys.exit(f"{names[0]} ended on its own; its messages stand above")


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def _edge_address(env: Mapping[str, str]) -> str:
    address = Environment(env).text("LISTEN_ADDRESS", "127.0.0.1:8000")
    return free_address() if address.endswith(":0") else address


def _python(*module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *module)
