"""The switches of the chart: topology, simulator, persistence, config, and what they leave out."""

from __future__ import annotations

from typing import Any

import pytest

DATA_PLANE = {"cache", "classifier", "provider-dispatch"}
BEHIND = {"metering", "prompt-registry"}
REDIS = {"redis-cache", "redis-state"}


def test_distributed_is_shipped_and_has_one_deployment_a_service(render: Any) -> None:
    manifests = render({})
    assert manifests.names("Deployment") == {"edge"} | REDIS | DATA_PLANE | BEHIND
    addresses = {name for name in manifests.env("edge") if name.endswith("_ADDRESS")} - {"LISTEN_ADDRESS"}
    assert addresses == {f"{name.upper().replace('-', '_')}_ADDRESS" for name in DATA_PLANE | BEHIND}


def test_compact_has_one_deployment_for_the_data_plane(render: Any) -> None:
    manifests = render({"topology": "compact"})
    assert manifests.names("Deployment") == {"compact"} | REDIS | BEHIND
    assert manifests.containers()["compact"]["image"] == "tollway/compact:dev"
    told = {"METERING_ADDRESS", "PROMPT_REGISTRY_ADDRESS", "CACHE_REDIS_URL", "STATE_REDIS_URL"}
    assert manifests.env("compact").keys() >= told


def test_clients_find_either_topology_at_the_same_address(render: Any) -> None:
    front = [render({"topology": name}).find("Service", "edge")["spec"] for name in ("distributed", "compact")]
    assert front[0]["ports"] == front[1]["ports"]
    assert front[0]["type"] == front[1]["type"] == "ClusterIP"
    components = [spec["selector"]["app.kubernetes.io/component"] for spec in front]
    assert components == ["edge", "compact"]


def test_the_simulator_runs_only_where_it_is_switched_on(scenario: Any, request: pytest.FixtureRequest) -> None:
    is_on = request.node.callspec.id in {"compact", "simulator", "mtls"}
    assert ("simulator" in scenario.names("Deployment")) is is_on
    urls = {name for name in scenario.services() if "SIMULATOR_URL" in scenario.env(name)}
    dispatching = {"compact", "provider-dispatch"} & scenario.names("Deployment")
    assert urls == (dispatching if is_on else set())


def test_a_config_reaches_every_service(render: Any) -> None:
    text = "edge:\n  request_timeout: 30\n"
    manifests = render({"config": text})
    assert manifests.find("ConfigMap", "config")["data"]["config.yaml"] == text
    for name in manifests.services():
        mounts = {mount["name"]: mount["mountPath"] for mount in manifests.containers()[name]["volumeMounts"]}
        assert manifests.env(name)["TOLLWAY_CONFIG"] == f"{mounts['config']}/config.yaml"
    assert not render({}).of("ConfigMap")


def test_a_changed_config_restarts_the_pods(render: Any) -> None:
    def checksums(values: Any) -> dict[str, str]:
        return {
            item["metadata"]["name"]: item["spec"]["template"]["metadata"]["annotations"]["checksum/settings"]
            for item in render(values).of("Deployment")
        }

    before, after = checksums({}), checksums({"config": "edge: {}"})
    assert all(before[name] != after[name] for name in before)
    keyed = checksums({"providers": {"keys": {"OPENAI_API_KEY": "sk-1"}}})
    assert {name for name in before if before[name] != keyed[name]} == {"try-provider-dispatch"}
