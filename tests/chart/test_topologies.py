"""The switches of the chart: topology, simulator, Redis, persistence, and what they leave out."""

from __future__ import annotations

from typing import Any

import pytest

DATA_PLANE = {"cache", "classifier", "provider-dispatch"}
BEHIND = {"metering", "prompt-registry"}


def test_distributed_is_shipped_and_has_one_deployment_a_service(render: Any) -> None:
    manifests = render({})
    assert manifests.names("Deployment") == {"edge", "redis-cache"} | DATA_PLANE | BEHIND
    addresses = {name for name in manifests.env("edge") if name.endswith("_ADDRESS")} - {"LISTEN_ADDRESS"}
    assert addresses == {f"{name.upper().replace('-', '_')}_ADDRESS" for name in DATA_PLANE | BEHIND}


def test_compact_has_one_deployment_for_the_data_plane(render: Any) -> None:
    manifests = render({"topology": "compact"})
    assert manifests.names("Deployment") == {"compact", "redis-cache"} | BEHIND
    assert manifests.containers()["compact"]["image"] == "tollway/compact:dev"
    assert manifests.env("compact").keys() >= {"METERING_ADDRESS", "PROMPT_REGISTRY_ADDRESS", "CACHE_REDIS_URL"}


def test_clients_find_either_topology_at_the_same_address(render: Any) -> None:
    front = [render({"topology": name}).find("Service", "edge")["spec"] for name in ("distributed", "compact")]
    assert front[0]["ports"] == front[1]["ports"]
    assert front[0]["type"] == front[1]["type"] == "ClusterIP"
    components = [spec["selector"]["app.kubernetes.io/component"] for spec in front]
    assert components == ["edge", "compact"]


def test_the_simulator_runs_only_where_it_is_switched_on(scenario: Any, request: pytest.FixtureRequest) -> None:
    is_on = request.node.callspec.id in {"compact", "simulator", "mtls"}
    assert ("simulator" in scenario.names("Deployment")) is is_on
    urls = {name for name in scenario.names("Deployment") - {"redis-cache"} if "SIMULATOR_URL" in scenario.env(name)}
    dispatching = {"compact", "provider-dispatch"} & scenario.names("Deployment")
    assert urls == (dispatching if is_on else set())


@pytest.mark.parametrize("name", ["metering", "prompt-registry"])
def test_a_file_has_one_writer_that_ends_before_the_next_starts(scenario: Any, name: str) -> None:
    deployment = scenario.find("Deployment", name)
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def files_volume(manifests: Any, name: str) -> Any:
    volumes = manifests.find("Deployment", name)["spec"]["template"]["spec"]["volumes"]
    return next(volume for volume in volumes if volume["name"] == "files")


@pytest.mark.parametrize(("name", "variable"), [("metering", "LEDGER_PATH"), ("prompt-registry", "PROMPT_STORE_PATH")])
def test_ledger_and_prompts_outlive_their_pods_and_the_release_as_shipped(
    render: Any, name: str, variable: str
) -> None:
    manifests = render({})
    claim = manifests.find("PersistentVolumeClaim", name)
    assert files_volume(manifests, name)["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    mounts = {mount["name"]: mount["mountPath"] for mount in manifests.containers()[name]["volumeMounts"]}
    assert manifests.env(name)[variable].startswith(f"{mounts['files']}/")


def test_without_persistence_no_claim_is_made(render: Any) -> None:
    off = {"persistence": {"enabled": False}}
    manifests = render({"metering": off, "promptRegistry": off})
    assert not manifests.of("PersistentVolumeClaim")
    for name in ("metering", "prompt-registry"):
        assert files_volume(manifests, name) == {"name": "files", "emptyDir": {}}


def test_redis_evicts_and_writes_no_disk(render: Any) -> None:
    secret = render({}).find("Secret", "redis-cache")["stringData"]
    lines = secret["redis.conf"].splitlines()
    assert {'save ""', "appendonly no", "maxmemory 192mb", "maxmemory-policy allkeys-lru"} <= set(lines)
    assert f"requirepass {secret['password']}" in lines
    assert len(secret["password"]) == 32
    assert secret["url"] == f"redis://:{secret['password']}@try-redis-cache:6379/0"


@pytest.mark.parametrize(
    ("redis", "secret"),
    [
        ({}, "try-redis-cache"),
        ({"enabled": False, "url": "redis://elsewhere:6379/0"}, "try-redis-cache"),
        ({"enabled": False, "existingSecret": "ours"}, "ours"),
        ({"enabled": False}, None),
    ],
)
def test_the_cache_is_told_which_redis_to_use(render: Any, redis: Any, secret: str | None) -> None:
    manifests = render({"redis": redis})
    source = manifests.env("cache").get("CACHE_REDIS_URL", {}).get("secretKeyRef")
    assert source == ({"name": secret, "key": "url"} if secret else None)
    assert ("redis-cache" in manifests.names("Deployment")) is (redis == {})
    if "url" in redis:
        assert manifests.find("Secret", "redis-cache")["stringData"] == {"url": redis["url"]}


def test_a_config_reaches_every_service(render: Any) -> None:
    text = "edge:\n  request_timeout: 30\n"
    manifests = render({"config": text})
    assert manifests.find("ConfigMap", "config")["data"]["config.yaml"] == text
    for name in manifests.names("Deployment") - {"redis-cache"}:
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
