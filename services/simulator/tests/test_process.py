"""The simulator as a process of its own, and where it listens."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys

import pytest
from tollway_servicekit.settings import SettingError
from tollway_simulator.bootstrap import bootstrap
from tollway_simulator.settings import Settings


async def test_sigterm_stops_the_process_cleanly_with_a_stream_open():
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tollway_simulator",
        env={**os.environ, "LISTEN_ADDRESS": "127.0.0.1:0"},
        stderr=asyncio.subprocess.PIPE,
    )
    line = await process.stderr.readline()
    port = int(re.search(rb"listens on 127.0.0.1:(\d+)", line)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"[stall=3]"}]}'
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ncontent-length: %d\r\n\r\n"
    writer.write(head % len(body) + body)
    await reader.readuntil(b'"content":"the"')
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(5):
        _, errors = await process.communicate()
    assert process.returncode == 0
    assert errors == b""
    assert b"[DONE]" not in await reader.read()
    writer.close()
    await writer.wait_closed()


async def test_a_taken_port_is_an_os_error_that_names_the_setting():
    async with bootstrap(Settings("127.0.0.1:0")) as port:
        with pytest.raises(OSError, match="LISTEN_ADDRESS"):
            async with bootstrap(Settings(f"127.0.0.1:{port}")):
                pass


async def test_health_answers_without_a_key(simulator):
    async with simulator.http.get(f"{simulator.url}/health") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})


def test_settings_come_from_the_environment():
    assert Settings.from_env({}) == Settings("127.0.0.1:8090", ("simulator",))
    environ = {"LISTEN_ADDRESS": "0.0.0.0:1", "SIMULATOR_MODELS": "a, b"}
    assert Settings.from_env(environ) == Settings("0.0.0.0:1", ("a", "b"))
    with pytest.raises(SettingError, match="LISTEN_ADDRESS"):
        Settings.from_env({"LISTEN_ADDRESS": "8090"})
