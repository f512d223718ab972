"""Installs each topology in turn on the cluster of KUBECONFIG; runs only where TOLLWAY_E2E=1 says that it may."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from cluster import Images, Namespace, Release

if TYPE_CHECKING:
    from collections.abc import Iterator

NEEDED = "TOLLWAY_E2E is not 1; `make test-e2e` runs these on the cluster of KUBECONFIG, which they change"
FIRST_ANSWER = "from install to first answer"


@pytest.fixture(scope="session")
def images() -> Images:
    """The images of this run; those that only tests need are built here."""
    if os.environ.get("TOLLWAY_E2E") != "1":
        pytest.skip(NEEDED)
    images = Images(os.environ.get("REGISTRY", "tollway"), os.environ.get("TAG", "dev"))
    for folder in sorted((Path(__file__).parent / "images").iterdir()):
        images.build(folder)
    return images


@pytest.fixture(scope="module", params=["distributed", "compact"])
def release(request: pytest.FixtureRequest, images: Images) -> Iterator[Release]:
    """A release that serves, with the simulator, in a namespace of its own; afterwards nothing of it is left."""
    off = {"persistence": {"enabled": False}}  # not every cluster has a storage class
    values = {"topology": request.param, "simulator": {"enabled": True}, "metering": off, "promptRegistry": off}
    values["stateRedis"] = images.values()["stateRedis"] | off
    with Namespace(f"tollway-e2e-{request.param}") as namespace:
        namespace.start_client(images.reference("test-client"))
        release = Release(namespace, images.values() | values)
        begin = time.monotonic()
        release.install()
        release.wait()
        release.ask("anthropic_json", "the first question")
        release.seconds_to_first_answer = time.monotonic() - begin
        yield release
        release.uninstall()
        assert release.leftovers() == []


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [report for several in terminalreporter.stats.values() for report in several]
    told = dict(entry for report in reports for entry in getattr(report, "user_properties", []))
    for name in sorted(told):
        if name.startswith(FIRST_ANSWER):
            terminalreporter.write_line(f"{name}: {told[name]}")
