"""One stage for each topology; at full length (FAULTS_FULL=1, `make faults`) both, else the compact one, in a hurry."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))
from stage import FULL, SHORT, Stage, staged

if TYPE_CHECKING:
    from collections.abc import Iterator

IS_FULL = bool(os.environ.get("FAULTS_FULL"))
TOPOLOGIES = ("compact", "distributed") if IS_FULL else ("compact",)


@pytest.fixture(
    scope="session",
    params=[pytest.param(name, marks=pytest.mark.xdist_group(f"faults {name}")) for name in TOPOLOGIES],
)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp(f"faults-{request.param}")
    with staged(request.param, folder, FULL if IS_FULL else SHORT) as started:
        yield started


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()
    if IS_FULL and report.when == "call":
        print(f"\n{item.name}: {'held' if report.passed else 'BROKEN'} in {report.duration:.1f} s")
