"""A topology as somebody starts it on a terminal, and what is left of it when it has ended."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ROOT = Path(__file__).parents[2]


@dataclass
class Started:
    """One `python -m tollway_topologies …`."""

    process: asyncio.subprocess.Process
    ready_file: Path

    async def ready(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            async for line in self.process.stdout:
                if b"Tollway is ready" in line:
                    return dict(json.loads(self.ready_file.read_bytes()))
        raise AssertionError((await self.end())[1])

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    async def end(self, number: signal.Signals | None = None) -> tuple[int | None, str]:
        """Send a signal, if any; return exit code and standard error."""
        if number:
            self.process.send_signal(number)
        _, errors = await asyncio.wait_for(self.process.communicate(), 30)
        return self.process.returncode, errors.decode()


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    started: list[Started] = []

    async def launch(*command: str, **variables: str) -> Started:
        environ = {
            "PATH": os.environ["PATH"],
            "TOLLWAY_CONFIG": str(ROOT / "config.yaml"),
            "PROMPTS_DIR": str(ROOT / "prompts"),
            "LISTEN_ADDRESS": "127.0.0.1:0",
            "LOG_LEVEL": "error",
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tollway_topologies", *command),
            *(("--ready-file", str(tmp_path / "ready.json")) if "compact" not in command[:1] else ()),
            cwd=tmp_path,
            env=environ | variables,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(Started(process, tmp_path / "ready.json"))
        return started[-1]

    yield launch
    for one in started:
        if one.process.returncode is None:
            one.process.terminate()
            await one.process.communicate()
