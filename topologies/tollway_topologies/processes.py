"""Every process of a topology on this machine, each service alone as in a cluster; for development, tests and bench."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tollway_servicekit.settings import Environment, SettingError
from tollway_servicekit.tls import Tls

from tollway_topologies.addresses import free_address
from tollway_topologies.children import Children, await_grpc, await_http, await_tcp
from tollway_topologies.local import needs_simulator
from tollway_topologies.ready import Ready, local_key, welcome

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA_PLANE = ("cache", "classifier", "provider-dispatch")
CONTROL_PLANE = ("metering", "prompt-registry")


async def serve_processes(kind: str, environ: Mapping[str, str], stop: asyncio.Event, ready_file: Path | None) -> None:
    """Start all processes of `distributed` or `compact`, and end them all when told to, or when one of them ends."""
    env = {**environ, "DEFAULT_WORKSPACE_KEY": local_key(environ)}
    children = Children()
    with tempfile.TemporaryDirectory(prefix="tollway-") as folder:
        starting = asyncio.create_task(_start(kind, env, children, Path(folder), ready_file))
        stopping = asyncio.create_task(stop.wait())
        ends: set[asyncio.Future[Any]] = {stopping, children.first_ended}
        try:
            await asyncio.wait({starting, *ends}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            starting.cancel()
            stopping.cancel()
            await asyncio.wait({starting})
            await children.stop()
    if children.first_ended.done() and not stop.is_set():
        sys.exit(f"{children.first_ended.result()} ended on its own; its messages stand above")


async def _start(kind: str, env: dict[str, str], children: Children, folder: Path, ready_file: Path | None) -> None:
    async def start(name: str, *module: str, address: str) -> None:
        await children.start(name, (sys.executable, "-m", *module), {**env, "LISTEN_ADDRESS": address})

    edge = _edge_address(env)
    await _start_redis(children, env, folder)
    if needs_simulator(env):
        address = free_address()
        await start("simulator", "tollway_simulator", address=address)
        env["SIMULATOR_URL"] = f"http://{address}"
        await await_tcp(address)
    env.setdefault("LEDGER_PATH", str(folder / "ledger.sqlite3"))
    services = CONTROL_PLANE if kind == "compact" else (*CONTROL_PLANE, *DATA_PLANE)
    for name in services:
        env[_address_of(name)] = address = free_address()
        await start(name, f"tollway_{name.replace('-', '_')}", address=address)
    for name in services:
        await await_grpc(env[_address_of(name)], Tls.from_env(env))
    if kind == "compact":
        await start("compact", "tollway_topologies", "compact", address=edge)
    else:
        await start("edge", "tollway_edge", address=edge)
    await await_http(f"http://{edge}/health")

    ours = {name: pid for name, pid in children.pids.items() if name not in {"redis", "simulator"}}
    ready = Ready(f"http://{edge}", env["DEFAULT_WORKSPACE_KEY"], env.get("SIMULATOR_URL", ""), ours)
    welcome(ready, f"{kind}, {len(ours)} processes, Ctrl-C ends them", ready_file)


async def _start_redis(children: Children, env: dict[str, str], folder: Path) -> None:
    wanted = [name for name in ("CACHE_REDIS_URL", "STATE_REDIS_URL") if not Environment(env).text(name)]
    if not wanted:
        return
    binary = shutil.which("redis-server")
    if binary is None:
        raise SettingError(f"redis-server is missing: install it (Debian: apt install redis) or set {wanted[0]}")
    address = free_address()
    port = address.rpartition(":")[2]
    options = ("--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder))
    await children.start("redis", (binary, *options, "--loglevel", "warning"), env)
    for number, name in enumerate(wanted):
        env[name] = f"redis://{address}/{number}"
    await await_tcp(address)


def _address_of(service: str) -> str:
    return f"{service.upper().replace('-', '_')}_ADDRESS"


def _edge_address(env: Mapping[str, str]) -> str:
    address = Environment(env).text("LISTEN_ADDRESS", "127.0.0.1:8000")
    if address.endswith(":0"):
        return free_address()
    # whoever holds the port already would be taken for our edge
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if "[" in host else socket.AF_INET
    try:
        socket.create_server((host.strip("[]"), int(port)), family=family).close()
    except OSError as error:
        raise OSError(f"cannot listen on {address}: {error.strerror}; set LISTEN_ADDRESS to a free one") from error
    return address
