"""Topologies start, end cleanly, leave nobody behind, and say in one line why they cannot start."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import stat
from typing import TYPE_CHECKING, Any

import httpx2
import psutil
import pytest
import trustme

if TYPE_CHECKING:
    from pathlib import Path

needs_redis = pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed")
MESSAGE = {"model": "auto", "max_tokens": 16, "messages": [{"role": "user", "content": "Hello"}]}


async def ask(told: dict[str, Any]) -> int:
    async with httpx2.AsyncClient(base_url=told["url"], timeout=20) as client:
        headers = {"x-api-key": told["key"], "anthropic-version": "2023-06-01"}
        return (await client.post("/v1/messages", json=MESSAGE, headers=headers)).status_code


async def test_local_reads_its_file_answers_and_ends_cleanly_on_ctrl_c(start: Any, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DEFAULT_WORKSPACE_KEY=tw_of-the-file-0123456789\nLEDGER_PATH=ledger.sqlite3\n")
    local = await start("local", LEDGER_PATH="")
    told = await local.ready()
    assert await ask(told) == 200
    assert told["key"] == "tw_of-the-file-0123456789"
    assert (tmp_path / "ledger.sqlite3").exists(), "an empty variable is no variable"
    assert (told["processes"], local.children()) == ({"local": local.process.pid}, [])
    assert await local.end(signal.SIGINT) == (0, "")


async def test_local_makes_a_key_of_its_own_and_ends_cleanly_on_sigterm(start: Any, tmp_path: Path) -> None:
    local = await start("local")
    told = await local.ready()
    assert await ask(told) == 200
    assert await local.end(signal.SIGTERM) == (0, "")
    assert (tmp_path / ".tollway/key").read_text().strip() == told["key"]
    assert stat.S_IMODE((tmp_path / ".tollway/key").stat().st_mode) == 0o600


@pytest.mark.parametrize("topology", [("local",), ("processes", "distributed")])
async def test_a_taken_port_is_told_in_one_line(start: Any, topology: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        code, errors = await (await start(*topology, LISTEN_ADDRESS=address)).end()
    assert code == 1
    assert errors.startswith(f"cannot start: cannot listen on {address}")
    assert errors.count("\n") == 1


async def test_compact_alone_says_which_address_is_missing(start: Any) -> None:
    code, errors = await (await start("compact")).end()
    assert (code, errors.count("\n")) == (1, 1)
    assert errors.startswith("cannot start: METERING_ADDRESS is missing")


@needs_redis
async def test_distributed_answers_and_leaves_nobody_behind_on_ctrl_c(start: Any) -> None:
    distributed = await start("processes", "distributed")
    told = await distributed.ready()
    assert await ask(told) == 200
    children = distributed.children()
    names = {"cache", "classifier", "provider-dispatch", "metering", "prompt-registry", "edge"}
    assert set(told["processes"]) == names
    # and Redis and the simulator
    assert len(children) == len(names) + 2
    assert set(told["processes"].values()) < {child.pid for child in children}
    assert await distributed.end(signal.SIGINT) == (0, "")
    assert not [child for child in children if child.is_running()]


@needs_redis
@pytest.mark.parametrize(
    ("kind", "linked"),
    [
        ("distributed", {"cache", "classifier", "provider_dispatch", "metering", "prompt_registry"}),
        ("compact", {"metering", "prompt_registry"}),
    ],
)
@pytest.mark.parametrize("use_links", ["true", "false"])
async def test_processes_call_one_another_with_mtls_over_links_and_without(
    start: Any, tmp_path: Path, kind: str, linked: set[str], use_links: str
) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "tls.crt"))
    issued.private_key_pem.write_to_path(str(tmp_path / "tls.key"))
    files = {"TLS_CERT_FILE": "tls.crt", "TLS_KEY_FILE": "tls.key", "TLS_CA_FILE": "ca.crt"}
    told = await (await start("processes", kind, USE_LINKS=use_links, **files)).ready()
    assert await ask(told) == 200
    async with httpx2.AsyncClient() as client:
        metrics = (await client.get(f"{told['url']}/metrics")).text
    series = dict(re.findall(r'^tollway_links_opened_total{service="(\w+)"} (\S+)$', metrics, re.MULTILINE))
    assert set(series) == (linked if use_links == "true" else set())
    assert series.get("metering", "1.0") == "1.0"


@needs_redis
async def test_a_child_that_dies_ends_all_and_is_named(start: Any) -> None:
    compact = await start("processes", "compact")
    told = await compact.ready()
    children = compact.children()
    os.kill(told["processes"]["metering"], signal.SIGKILL)
    code, errors = await compact.end()
    assert code == 1
    assert errors.endswith("metering ended on its own; its messages stand above\n")
    assert not [child for child in children if child.is_running()]


@needs_redis
async def test_a_child_that_dies_at_the_start_ends_all_at_once(start: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    distributed = await start("processes", "distributed", LEDGER_PATH=str(tmp_path / "file/no-folder"))
    code, errors = await distributed.end()
    assert code == 1
    assert errors.endswith("metering ended on its own; its messages stand above\n")


@needs_redis
async def test_told_to_stop_while_it_starts_it_stops(start: Any) -> None:
    distributed = await start("processes", "distributed")
    async with asyncio.timeout(30):
        while not (children := distributed.children()):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    assert (await distributed.end(signal.SIGTERM))[0] == 0
    assert not [child for child in children if psutil.pid_exists(child.pid) and child.is_running()]
    assert not distributed.ready_file.exists()
