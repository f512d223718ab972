"""values.yaml: every key is commented and in the schema, and what is not in the schema is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

CHART = Path(__file__).parents[2] / "deploy/helm/tollway"
LINES = (CHART / "values.yaml").read_text().splitlines()
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
README_ONLY = {"global"}  # what Helm itself adds


def resolved(schema: Any) -> Any:
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    return SCHEMA["$defs"][name] if name else schema


def own_keys(node: yaml.MappingNode, schema: Any, path: str = "") -> list[tuple[str, int, Any]]:
    """(path, line, schema) of each key down to where Kubernetes' own words or free maps begin."""
    found = []
    for key, value in node.value:
        here = f"{path}{key.value}"
        below = resolved(schema["properties"].get(key.value, {}))
        found.append((here, key.start_mark.line, below))
        if isinstance(value, yaml.MappingNode) and "properties" in below:
            found += own_keys(value, below, f"{here}.")
    return found


KEYS = own_keys(yaml.compose("\n".join(LINES)), SCHEMA)


@pytest.mark.parametrize(("path", "line", "schema"), KEYS, ids=[key[0] for key in KEYS])
def test_every_key_is_commented_and_in_the_schema(path: str, line: int, schema: Any) -> None:
    assert schema, f"{path} is not in values.schema.json"
    above = line - 1
    while LINES[above].strip().startswith("#") and not LINES[above].strip().startswith("# -- "):
        above -= 1
    assert LINES[above].strip().startswith("# -- "), f"{path} has no comment that starts with '# --'"


def schema_keys(schema: Any, path: str = "") -> set[str]:
    found = set()
    for name, raw in resolved(schema).get("properties", {}).items():
        found |= {f"{path}{name}"} | schema_keys(raw, f"{path}{name}.")
    return found


def test_the_schema_has_no_key_that_values_yaml_does_not_show() -> None:
    assert schema_keys(SCHEMA) - README_ONLY == {path for path, _, _ in KEYS}


def test_no_object_of_ours_takes_unknown_keys() -> None:
    def objects(schema: Any) -> list[Any]:
        below = [entry for raw in schema.get("properties", {}).values() for entry in objects(resolved(raw))]
        return ([schema] if "properties" in schema else []) + below

    assert len(objects(SCHEMA)) > 10
    assert all(entry["additionalProperties"] is False for entry in objects(SCHEMA))


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"topologi": "compact"}, "topologi"),
        ({"edge": {"replica": 2}}, "replica"),
        ({"topology": "local"}, "/topology"),
        ({"metering": {"replicas": 2}}, "/metering/replicas"),
        ({"auth": {"key": "sk-not-ours"}}, "/auth/key"),
        ({"providers": {"keys": {"ANTHROPIC_KEY": "sk"}}}, "ANTHROPIC_KEY"),
        ({"providers": {"keys": {"OPENAI_API_KEY_6": "sk"}}}, "OPENAI_API_KEY_6"),
        ({"redis": {"url": "redis://elsewhere:6379"}}, "/redis/url"),
        ({"redis": {"enabled": False, "url": "elsewhere:6379"}}, "/redis/url"),
        ({"stateRedis": {"existingSecret": "ours"}}, "/stateRedis/existingSecret"),
        ({"stateRedis": {"url": "redis://elsewhere:6379"}}, "/stateRedis/url"),
        ({"stateRedis": {"persistence": {"size": "much"}}}, "/stateRedis/persistence/size"),
        ({"edge": {"extraEnv": {"A": "b"}}}, "/edge/extraEnv"),
        ({"tls": {"enabled": True}}, "/tls/existingSecret"),
        ({"useLinks": "no"}, "/useLinks"),
    ],
)
def test_a_wrong_value_is_refused_by_name(render: Any, values: Any, complaint: str) -> None:
    with pytest.raises(Exception, match=complaint):
        render(values)


def test_helm_lint_finds_nothing() -> None:
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("helm is not installed: https://helm.sh/docs/intro/install")
    done = subprocess.run([helm, "lint", "--strict", CHART], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert "WARNING" not in done.stdout
