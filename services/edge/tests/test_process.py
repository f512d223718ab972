"""edge in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import httpx2
import pytest
from tollway_edge.settings import Addresses, SettingError

if TYPE_CHECKING:
    from pathlib import Path

SERVICES = ("CACHE", "CLASSIFIER", "PROVIDER_DISPATCH", "METERING", "PROMPT_REGISTRY")
TIERS = "tiers:\n  standard:\n    named: [claude-haiku]\n"


async def start(tmp_path: Path, **variables: str) -> asyncio.subprocess.Process:
    config = tmp_path / "config.yaml"
    if not config.exists():
        config.write_text(TIERS)
    addresses = {f"{name}_ADDRESS": f"unix:{tmp_path}/{name}.sock" for name in SERVICES}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tollway_edge"),
        env={"PATH": os.environ["PATH"], "TOLLWAY_CONFIG": str(config), **addresses, **variables},
        stderr=asyncio.subprocess.PIPE,
    )


async def end_of(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, errors.decode()


@pytest.mark.parametrize("service", SERVICES)
def test_every_address_that_is_missing_is_named(service: str) -> None:
    addresses = {f"{name}_ADDRESS": "a:1" for name in SERVICES if name != service}
    with pytest.raises(SettingError, match=f"^{service}_ADDRESS is missing"):
        Addresses.from_env(addresses)


async def test_without_an_address_it_ends_in_one_line(tmp_path: Path) -> None:
    code, errors = await end_of(await start(tmp_path, METERING_ADDRESS=""))
    assert code == 1
    assert errors.startswith("cannot start: METERING_ADDRESS is missing")
    assert errors.count("\n") == 1


async def test_without_the_middle_tier_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("tiers: {}\n")
    code, errors = await end_of(await start(tmp_path))
    assert code == 1
    assert "the tier standard is missing" in errors


async def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        code, errors = await end_of(await start(tmp_path, LISTEN_ADDRESS=address, LOG_LEVEL="error"))
    assert code == 1
    assert errors.startswith(f"cannot start: cannot listen on {address}")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_lives_without_the_others_says_so_and_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    process = await start(tmp_path, LISTEN_ADDRESS=address, LOG_LEVEL="error")
    async with httpx2.AsyncClient(base_url=f"http://{address}") as client:
        await _until_live(client)
        health = await client.get("/health")
        assert health.status_code == 503
        reasons = " ".join(health.json()["reasons"])
        assert "metering" in reasons
        assert "provider-dispatch" in reasons
        assert (await client.post("/v1/messages", json={})).status_code == 503
    process.send_signal(number)
    assert await end_of(process) == (0, "")


async def _until_live(client: httpx2.AsyncClient) -> None:
    for _ in range(600):
        try:
            assert (await client.get("/health/live")).status_code == 200
        except httpx2.ConnectError:
            await asyncio.sleep(0.05)
        else:
            return
    raise AssertionError("it never listened")
