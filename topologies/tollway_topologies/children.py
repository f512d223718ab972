"""Child processes and how to know that they serve; used by `processes`."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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

    async def ended(self) -> None:
        await self.process.wait()

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


async def await_tcp(address: str) -> None:
    """Return once somebody accepts connections."""
    host, _, port = address.rpartition(":")
    async with asyncio.timeout(START_SECONDS):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection(host, int(port))
                writer.close()
                return
            await asyncio.sleep(0.02)


async def await_grpc(address: str) -> None:
    """Return once the service's health says SERVING."""
    async with asyncio.timeout(START_SECONDS), grpc.aio.insecure_channel(address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        await health.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True)


async def await_http(url: str) -> None:
    """Return once the address answers 200."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            if await asyncio.to_thread(_answers, url):
                return
            await asyncio.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - an address of ours
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
