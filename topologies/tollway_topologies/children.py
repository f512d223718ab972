"""Child processes and how to know that they serve; used by `processes`."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grpc_health.v1 import health_pb2, health_pb2_grpc
from tollway_servicekit.channel import open_channel
from tollway_servicekit.tls import Credentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from tollway_servicekit.tls import Tls

START_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Child:
    """One process that we started."""

    name: str
    process: asyncio.subprocess.Process

    @classmethod
    async def start(cls, name: str, command: Sequence[str], environ: Mapping[str, str]) -> Child:
        # a group of its own: Ctrl-C reaches the parent alone, which then ends its children in order
        process = await asyncio.create_subprocess_exec(*command, env=dict(environ), start_new_session=True)
        return cls(name, process)

    @property
    def pid(self) -> int:
        return self.process.pid

    async def stop(self) -> None:
        """End it: politely, then not."""
        if self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


class Children:
    """All processes that we started, and the news of the first that ends on its own."""

    def __init__(self) -> None:
        self.pids: dict[str, int] = {}
        self.first_ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._stack = AsyncExitStack()
        self._watchers: list[asyncio.Task[None]] = []

    async def start(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> None:
        child = await Child.start(name, command, environ)
        self._stack.push_async_callback(child.stop)
        self._watchers.append(asyncio.create_task(self._watch(child)))
        self.pids[name] = child.pid

    async def stop(self) -> None:
        """End them all, the last one started first."""
        for watcher in self._watchers:
            watcher.cancel()
        await self._stack.aclose()

    async def _watch(self, child: Child) -> None:
        await child.process.wait()
        if not self.first_ended.done():
            self.first_ended.set_result(child.name)


@asynccontextmanager
async def _patience(address: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(START_SECONDS):
            yield
    except TimeoutError:
        raise TimeoutError(f"{address} does not serve after {START_SECONDS:.0f} s") from None


async def await_tcp(address: str) -> None:
    """Return once somebody accepts connections."""
    host, _, port = address.rpartition(":")
    async with _patience(address):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection(host, int(port))
                writer.close()
                return
            await asyncio.sleep(0.02)


async def await_grpc(address: str, tls: Tls | None = None) -> None:
    """Return once the service's health says SERVING."""
    credentials = None if tls is None else Credentials(tls)
    async with _patience(address), open_channel(address, credentials) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        await health.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True)


async def await_http(url: str) -> None:
    """Return once the address answers 200."""
    async with _patience(url):
        while True:
            if await asyncio.to_thread(_answers, url):
                return
            await asyncio.sleep(0.05)


def _answers(url: str) -> bool:
    # an address on this machine, whatever proxy the environment names
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
