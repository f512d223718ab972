"""The API server takes every scenario of tests/chart without a warning, under Pod Security `restricted`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cluster import CHART, Namespace, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cluster import Images

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]

SCENARIOS = sorted((Path(__file__).parents[1] / "chart" / "scenarios").glob("*.yaml"))


@pytest.fixture(scope="module")
def namespace(images: Images) -> Iterator[Namespace]:
    with Namespace("tollway-e2e-manifests") as namespace:
        yield namespace


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_the_api_server_takes_it(namespace: Namespace, scenario: Path) -> None:
    words = ("--namespace", namespace.name, "--kube-version", "1.34", "--values", str(scenario))
    manifests = run("helm", "template", "try", str(CHART), *words)
    taken = namespace.kubectl("apply", "--dry-run=server", "--warnings-as-errors", "--filename", "-", text=manifests)
    assert "deployment.apps/try-metering created (server dry run)" in taken
