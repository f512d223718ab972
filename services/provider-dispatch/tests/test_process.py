"""The service in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as pb
from tollway_provider_dispatch.entrypoints.servicer import CONTRACT
from tollway_servicekit.channel import open_channel
from tollway_servicekit.stubs import plain_stub

if TYPE_CHECKING:
    from pathlib import Path


async def start(tmp_path: Path, **environment: str) -> asyncio.subprocess.Process:
    settings = {"LISTEN_ADDRESS": f"unix:{tmp_path}/s.sock", "TOLLWAY_CONFIG": str(tmp_path / "config.yaml")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tollway_provider_dispatch"),
        env=dict(os.environ) | settings | environment,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_it_serves_and_stops_at_once_on_sigterm(tmp_path):
    process = await start(tmp_path, ANTHROPIC_API_KEY="sk-secret-one")
    began = await asyncio.wait_for(process.stderr.readline(), 30)
    assert b"serving tollway.provider_dispatch.v1.ProviderDispatchService" in began
    async with open_channel(f"unix:{tmp_path}/s.sock") as channel:
        answer = await plain_stub(CONTRACT, channel).ListModels(pb.ListModelsRequest(), timeout=5)
    assert answer.providers == ["anthropic"]
    process.send_signal(signal.SIGTERM)
    _, errors = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0
    assert b"sk-secret-one" not in began + errors


async def test_a_wrong_setting_is_named(tmp_path):
    (tmp_path / "config.yaml").write_text("provider_dispatch: {read_timeout: soon}")
    process = await start(tmp_path)
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert errors.startswith(b"cannot start: ")
    assert b"read_timeout" in errors
