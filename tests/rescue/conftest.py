"""A gateway whose models have two providers each, both of them faces of one simulator."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from gateway import ONE_TRY, Gateway, config_with, running
from rescue.streams import FIRST_KEY
from tollway_topologies.addresses import free_address

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS = {
    "of-messages": {"providers": ["openrouter", "anthropic"]},
    "of-messages-on": {"providers": ["openrouter", "anthropic"], "prefill": True},
    "of-chat": {"providers": ["openrouter", "openai"]},
    "of-chat-on": {"providers": ["openrouter", "openai"], "prefill": True},
}


@pytest.fixture(scope="session")
def simulator() -> Iterator[str]:
    address = free_address()
    environ = {"LISTEN_ADDRESS": address, "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen([sys.executable, "-m", "tollway_simulator"], env=environ, stderr=subprocess.DEVNULL)
    try:
        _await(f"http://{address}/health")
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def gateway(simulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("rescue")
    config = config_with(folder, models=MODELS, provider_dispatch=ONE_TRY, edge={"use_exact_cache": False})
    variables = {
        "TOLLWAY_CONFIG": config,
        "LOG_LEVEL": "error",
        "OPENROUTER_API_KEY": FIRST_KEY,
        "OPENROUTER_BASE_URL": f"{simulator}/openrouter/api/v1",
        "ANTHROPIC_API_KEY": "sk-second",
        "ANTHROPIC_BASE_URL": f"{simulator}/anthropic",
        "OPENAI_API_KEY": "sk-third",
        "OPENAI_BASE_URL": f"{simulator}/openai/v1",
    }
    with running("local", folder, **variables) as started:
        yield started


def _await(url: str) -> None:
    for _ in range(200):
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(url).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("the simulator did not start")
