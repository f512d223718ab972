"""The service in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

from tollway.metering.v1 import metering_pb2
from tollway_metering.entrypoints.servicer import CONTRACT
from tollway_servicekit.channel import open_channel
from tollway_servicekit.stubs import plain_stub, responses

if TYPE_CHECKING:
    from pathlib import Path


async def start(tmp_path: Path, **environment: str) -> asyncio.subprocess.Process:
    settings = {"LEDGER_PATH": str(tmp_path / "ledger.sqlite3"), "LISTEN_ADDRESS": f"unix:{tmp_path}/metering.sock"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tollway_metering"),
        env=dict(os.environ) | settings | environment,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_it_serves_and_stops_at_once_on_sigterm_even_with_a_watcher(tmp_path: Path, key: str) -> None:
    process = await start(tmp_path, DEFAULT_WORKSPACE_KEY=key)
    assert process.stderr is not None
    assert b"serving tollway.metering.v1.MeteringService" in await asyncio.wait_for(process.stderr.readline(), 30)
    channel = open_channel(f"unix:{tmp_path}/metering.sock")
    stub = plain_stub(CONTRACT, channel)
    async with responses(stub.WatchWorkspaces(metering_pb2.WatchWorkspacesRequest(), timeout=30)) as states:
        assert (await anext(states)).workspaces[0].name == "default"
        process.send_signal(signal.SIGTERM)
        assert [state async for state in states] == []
    await channel.close()
    _, errors = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, errors) == (0, b"")


async def test_without_a_key_it_says_how_to_make_one(tmp_path: Path) -> None:
    process = await start(tmp_path, DEFAULT_WORKSPACE_KEY="")
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert errors.startswith(b"cannot start: DEFAULT_WORKSPACE_KEY is missing")
