"""
One gateway of each topology for each part of the clients; each starts once, and on one worker.

The clients are installed from PyPI and npm, so they are driven only where that is asked for.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))
from comparing.clients import CLIENTS
from comparing.straight import StraightRuns
from gateway import ONE_TRY, Gateway, config_with, running

if TYPE_CHECKING:
    from collections.abc import Iterator

TOPOLOGIES = ("compact", "distributed")
NEEDED = "clients are installed from PyPI and npm; `make compat` does that and runs these (pytest -m compat)"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "compat" not in config.getoption("-m"):
        for item in items:
            if item.get_closest_marker("compat"):
                item.add_marker(pytest.mark.skip(reason=NEEDED))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let each topology meet every client, half of them on one worker; the order lets both share the straight runs."""
    if {"gateway", "client"} <= set(metafunc.fixturenames):
        halves = [(client, number % 2) for number, client in enumerate(CLIENTS)]
        pairs = [
            pytest.param(topology, client, marks=pytest.mark.xdist_group(group), id=f"{topology}-{client.name}")
            for topology, order in zip(TOPOLOGIES, (halves, halves[::-1]), strict=True)
            for client, half in order
            for group in [f"compat {topology} {half}"]
        ]
        metafunc.parametrize(("gateway", "client"), pairs, indirect=["gateway"], scope="session")


@pytest.fixture(scope="session")
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp(request.param)
    with running(request.param, folder, TOLLWAY_CONFIG=config_with(folder, provider_dispatch=ONE_TRY)) as started:
        yield started


@pytest.fixture(scope="session")
def straight_runs(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> StraightRuns:
    own = tmp_path_factory.getbasetemp()
    return StraightRuns(own if worker_id == "master" else own.parent)
