"""Each topology is started once with canaries, put through everything, ended in flight, and then searched."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
from contract.hygiene.canaries import Canaries
from contract.hygiene.canary_client import CanaryClient
from contract.hygiene.evidence import Evidence, dump_of, files_under, processes_of, series_in
from contract.hygiene.leaky_upstream import LeakyUpstream, leaky_upstream
from contract.hygiene.traffic import Traffic
from gateway import COMMANDS, ONE_TRY, config_with, running
from tollway_topologies.addresses import free_address

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 30


@pytest.fixture(
    scope="session",
    params=[pytest.param(topology, marks=pytest.mark.xdist_group(f"hygiene-{topology}")) for topology in COMMANDS],
)
def evidence(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    found = Evidence(Canaries())
    folder = tmp_path_factory.mktemp(f"hygiene-{request.param}")
    with _redis(folder, found.canaries) as redis_url, _simulator(folder) as simulator_url:
        with leaky_upstream(simulator_url) as upstream:
            _try_everything(request.param, folder, found, upstream, redis_url)
            found.keys_at_provider = upstream.keys
        found.simulator_log = httpx2.get(f"{simulator_url}/_simulator/log").content
    found.simulator_output = (folder / "simulator.txt").read_bytes()
    return found


def _try_everything(topology: str, folder: Path, found: Evidence, upstream: LeakyUpstream, redis_url: str) -> None:
    place = folder / "gateway"
    (place / "tmp").mkdir(parents=True)
    with running(topology, place, **_variables(folder, found.canaries, upstream.url, redis_url)) as gateway:
        client = CanaryClient(gateway.url, found.canaries, found.answers)
        traffic = Traffic(client)
        traffic.ordinary()
        traffic.other_routes()
        traffic.refusals()
        traffic.refusals_of_the_provider()
        traffic.repeated_by_the_provider()
        traffic.broken_http()
        traffic.leaving()
        found.series.append(series_in(client.get("/metrics")))
        traffic.invented_models()
        found.metrics = client.get("/metrics")
        found.series.append(series_in(found.metrics))
        found.cache_keys, found.cached = dump_of(redis_url)
        _shut_down(redis_url)
        traffic.begin_streams()
        upstream.refuse_connections()
        traffic.refusals()  # now without a cache, and without a provider
        found.recent = client.get("/v1/metrics/recent?n=1000")
        found.processes = processes_of(gateway)
        found.files = {f"{name}, while it ran": data for name, data in files_under(place).items()}
    traffic.await_streams()
    client.http.close()
    found.log = (place / "log.txt").read_bytes()
    found.files |= files_under(place)


def _variables(folder: Path, canaries: Canaries, upstream_url: str, redis_url: str) -> dict[str, str]:
    prompt = folder / "prompts" / "canary" / "v1.txt"
    prompt.parent.mkdir(parents=True)
    prompt.write_text(f"{canaries.published}\nSpeak in a {{{{ tone }}}} tone.\n")
    return {
        "TOLLWAY_CONFIG": _config(folder),
        "PROMPTS_DIR": str(folder / "prompts"),
        "TMPDIR": str(folder / "gateway" / "tmp"),
        "LOG_LEVEL": "debug",
        "DEFAULT_WORKSPACE_KEY": canaries.virtual_key,
        "LLM_MONTHLY_TOKEN_CAP_PER_WORKSPACE": "1000000000",
        "ANTHROPIC_BASE_URL": upstream_url,
        "ANTHROPIC_API_KEY": canaries.anthropic_key,
        "ANTHROPIC_API_KEY_2": canaries.anthropic_key_2,
        "OPENAI_BASE_URL": f"{upstream_url}/v1",
        "OPENAI_API_KEY": canaries.openai_key,
        "OPENAI_API_KEY_2": canaries.openai_key_2,
        "CACHE_REDIS_URL": redis_url,
    }


def _config(folder: Path) -> str:
    """Write config.yaml with limits that can be reached: bytes of a body, seconds of silence."""
    seconds = dict.fromkeys(
        ("connect_timeout", "read_timeout", "whole_timeout", "first_token_timeout", "stall_timeout"), 1
    )
    return config_with(folder, edge={"max_body_bytes": 1 << 20}, provider_dispatch=seconds | ONE_TRY)


@contextmanager
def _simulator(folder: Path) -> Iterator[str]:
    address = free_address()
    command = [sys.executable, "-m", "tollway_simulator"]
    with (folder / "simulator.txt").open("w") as output:
        environ = {"LISTEN_ADDRESS": address, "LOG_LEVEL": "debug"}
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
        try:
            _await_health(f"http://{address}/health", process)
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def _redis(folder: Path, canaries: Canaries) -> Iterator[str]:
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is missing (Debian: apt-get install redis-server)")
    address = free_address()
    port = address.rpartition(":")[2]
    # in a file: command lines can be read by everybody
    (folder / "redis.conf").write_text(
        f'bind 127.0.0.1\nport {port}\nsave ""\ndir {folder}\nrequirepass {canaries.redis_password}\n'
    )
    process = subprocess.Popen([binary, str(folder / "redis.conf")], stdout=subprocess.DEVNULL)
    try:
        yield f"redis://:{canaries.redis_password}@{address}/0"
    finally:
        process.terminate()
        process.wait(30)


def _shut_down(redis_url: str) -> None:
    import redis

    with redis.Redis.from_url(redis_url) as client:
        client.shutdown(nosave=True)


def _await_health(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(url).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise AssertionError("the simulator did not start")
