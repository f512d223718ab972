"""Every folder under services/ is an image, a template, a block of values and a skaffold artifact."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent.name for path in (ROOT / "services").glob("*/pyproject.toml"))
IMAGES = [*SERVICES, "compact"]
SKAFFOLD = yaml.safe_load((ROOT / "skaffold.yaml").read_text())


def camel(name: str) -> str:
    first, *rest = name.split("-")
    return first + "".join(word.title() for word in rest)


def test_there_are_services() -> None:
    assert "edge" in SERVICES


@pytest.mark.parametrize("name", IMAGES)
def test_each_has_a_template_and_values(name: str) -> None:
    chart = ROOT / "deploy/helm/tollway"
    template = (chart / f"templates/{name}.yaml").read_text()
    assert f'"name" "{name}"' in template
    assert f".Values.{camel(name)}" in template
    assert camel(name) in yaml.safe_load((chart / "values.yaml").read_text())


def test_skaffold_builds_each_and_nothing_else() -> None:
    artifacts = {entry["image"]: entry["docker"]["buildArgs"] for entry in SKAFFOLD["build"]["artifacts"]}
    assert artifacts == {f"tollway/{name}": {"SERVICE": name} for name in IMAGES}


def test_skaffold_tells_the_chart_what_it_built() -> None:
    (release,) = SKAFFOLD["deploy"]["helm"]["releases"]
    assert release["setValueTemplates"] == {
        f"{camel(name)}.image": f"{{{{.IMAGE_FULLY_QUALIFIED_tollway_{name.replace('-', '_')}}}}}" for name in IMAGES
    }


def test_make_builds_each_and_nothing_else() -> None:
    makefile = (ROOT / "Makefile").read_text()
    services = re.search(r"^SERVICES := (.*)$", makefile, re.MULTILINE)
    assert services is not None
    assert sorted(services[1].split()) == SERVICES
    assert re.search(r"^IMAGES := \$\(SERVICES\) compact$", makefile, re.MULTILINE)
