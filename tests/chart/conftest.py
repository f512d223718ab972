"""Renders the chart with helm; every test here looks at what comes out."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/tollway"
SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))

Object = dict[str, Any]


class RenderFailed(Exception):
    """helm refused; holds what it said."""


class Manifests(list[Object]):
    """Rendered objects, found by kind and by name without the release."""

    def find(self, kind: str, name: str) -> Object:
        return next(item for item in self.of(kind) if item["metadata"]["name"] == f"try-{name}")

    def of(self, kind: str) -> list[Object]:
        return [item for item in self if item["kind"] == kind]

    def names(self, kind: str) -> set[str]:
        return {item["metadata"]["name"].removeprefix("try-") for item in self.of(kind)}

    def containers(self) -> dict[str, Object]:
        """The one container of each Deployment, by component."""
        pods = {item["metadata"]["name"].removeprefix("try-"): pod_of(item) for item in self.of("Deployment")}
        return {name: pod["containers"][0] for name, pod in pods.items()}

    def services(self) -> set[str]:
        """Deployments of Tollway's own images; the others are Redis."""
        return {name for name, container in self.containers().items() if "command" not in container}

    def env(self, name: str) -> dict[str, Any]:
        """Environment of a container: a value, or where it comes from."""
        return {entry["name"]: entry.get("value") or entry["valueFrom"] for entry in self.containers()[name]["env"]}


def pod_of(deployment: Object) -> Object:
    pod: Object = deployment["spec"]["template"]["spec"]
    return pod


Render = Callable[[Object], Manifests]


@pytest.fixture(scope="session")
def render() -> Render:
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("helm is not installed: https://helm.sh/docs/intro/install")
    rendered: dict[str, Manifests] = {}

    def render_values(values: Object) -> Manifests:
        text = json.dumps(values)
        if text not in rendered:
            command = [helm, "template", "try", str(CHART), "--namespace", "try", "--kube-version", "1.34", "-f", "-"]
            done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
            if done.returncode:
                raise RenderFailed(done.stderr)
            rendered[text] = Manifests(item for item in yaml.safe_load_all(done.stdout) if item)
        return rendered[text]

    return render_values


@pytest.fixture(params=SCENARIOS, ids=lambda path: path.stem)
def scenario(request: pytest.FixtureRequest, render: Render) -> Manifests:
    """The objects of each scenario in turn."""
    return render(yaml.safe_load(request.param.read_text()))
