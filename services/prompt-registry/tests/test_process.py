"""The service in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_prompt_registry.entrypoints.servicer import CONTRACT
from tollway_servicekit.channel import open_channel
from tollway_servicekit.stubs import plain_stub, responses

if TYPE_CHECKING:
    from pathlib import Path


async def start(tmp_path: Path, folder: Path) -> asyncio.subprocess.Process:
    settings = {
        "PROMPTS_DIR": str(folder),
        "PROMPT_STORE_PATH": str(tmp_path / "prompts.sqlite3"),
        "LISTEN_ADDRESS": f"unix:{tmp_path}/prompts.sock",
    }
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tollway_prompt_registry"),
        env=dict(os.environ) | settings,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_it_serves_and_stops_at_once_on_sigterm_even_with_a_watcher(tmp_path: Path, folder: Path) -> None:
    process = await start(tmp_path, folder)
    assert process.stderr is not None
    line = await asyncio.wait_for(process.stderr.readline(), 30)
    assert b"serving tollway.prompt_registry.v1.PromptRegistryService" in line
    channel = open_channel(f"unix:{tmp_path}/prompts.sock")
    stub = plain_stub(CONTRACT, channel)
    async with responses(stub.WatchPrompts(pb.WatchPromptsRequest(), timeout=30)) as news:
        assert len((await anext(news)).versions) == 2
        process.send_signal(signal.SIGTERM)
        assert [versions async for versions in news] == []
    await channel.close()
    _, errors = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, errors) == (0, b"")


async def test_a_prompts_folder_that_is_wrong_stops_the_start_with_a_message(tmp_path: Path, folder: Path) -> None:
    (folder / "greeter" / "oops.txt").write_text("x")
    process = await start(tmp_path, folder)
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert errors.startswith(b"cannot start: ")
    assert b"oops.txt: a prompt's files are named v1.txt, v2.txt and so on" in errors
