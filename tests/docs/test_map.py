"""Every service is named wherever a service must be named; docs/adding-a-service.md lists these places."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent.name for path in ROOT.glob("services/*/pyproject.toml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CHART = ROOT / "deploy" / "helm" / "tollway"
MAKEFILE = (ROOT / "Makefile").read_text()
each_service = pytest.mark.parametrize("service", SERVICES)


def package_of(service: str) -> str:
    return "tollway_" + service.replace("-", "_")


def make_variable(name: str) -> list[str]:
    found = re.search(rf"^{name} :?= ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)
    assert found, f"the Makefile has no variable {name}"
    return found[1].replace("\\\n", " ").split()


def test_there_are_services() -> None:
    assert {"edge", "cache", "provider-dispatch"} <= set(SERVICES)


@each_service
def test_a_service_has_the_same_inside_as_every_other(service: str) -> None:
    package = ROOT / "services" / service / package_of(service)
    wanted = ("__main__.py", "settings.py", "bootstrap.py", "entrypoints", "domain")
    assert [name for name in wanted if not (package / name).exists()] == []


@each_service
def test_a_service_has_a_readme(service: str) -> None:
    lines = (ROOT / "services" / service / "README.md").read_text().splitlines()
    assert lines[0] == f"# {service}"
    assert any(line.startswith("| `") for line in lines), "its settings have no table"


@each_service
def test_the_readmes_service_table_links_it(service: str) -> None:
    assert f"\n| [{service}](services/{service}/README.md) |" in (ROOT / "README.md").read_text()


@each_service
def test_the_import_contracts_hold_for_it(service: str) -> None:
    package = package_of(service)
    linter = PROJECT["tool"]["importlinter"]
    assert package in linter["root_packages"]
    lists = {contract["name"]: str(contract) for contract in linter["contracts"]}
    assert [name for name, text in lists.items() if package not in text] == []


@each_service
def test_skaffold_builds_and_deploys_it(service: str) -> None:
    skaffold = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
    built = [artifact["docker"]["buildArgs"]["SERVICE"] for artifact in skaffold["build"]["artifacts"]]
    assert service in built
    images = skaffold["deploy"]["helm"]["releases"][0]["setValueTemplates"]
    assert f"{camel(service)}.image" in images


@each_service
def test_the_chart_has_a_template_and_values_for_it(service: str) -> None:
    assert "tollway.workload" in (CHART / "templates" / f"{service}.yaml").read_text()
    assert camel(service) in yaml.safe_load((CHART / "values.yaml").read_text())


def camel(service: str) -> str:
    first, *rest = service.split("-")
    return first + "".join(word.capitalize() for word in rest)


def test_the_makefile_names_exactly_these_services() -> None:
    assert sorted(make_variable("SERVICES")) == SERVICES


def test_the_makefile_types_every_package() -> None:
    packages = [path.parent.name for path in ROOT.glob("*/*/tollway_*/__init__.py")]
    packages += [path.parent.name for path in ROOT.glob("topologies/tollway_*/__init__.py")]
    assert sorted(make_variable("PACKAGES")) == sorted(packages)


def test_the_workspace_has_a_source_for_every_member() -> None:
    members = [ROOT / "protos", ROOT / "topologies", *ROOT.glob("libs/*"), *ROOT.glob("services/*")]
    names = {tomllib.loads((member / "pyproject.toml").read_text())["project"]["name"] for member in members}
    assert set(PROJECT["tool"]["uv"]["sources"]) == names


def test_the_dockerfile_serves_every_entry_of_images() -> None:
    assert set(make_variable("IMAGES")) == {"$(SERVICES)", "compact"}
    assert "compact) member=topologies" in (ROOT / "Dockerfile").read_text()
