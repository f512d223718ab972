"""What outlives pods and the release: the ledger, published prompts, and what the Redis of state remembers."""

from __future__ import annotations

from typing import Any

import pytest

KEEPERS = {"metering": "metering", "prompt-registry": "promptRegistry", "redis-state": "stateRedis"}


def volume_of(manifests: Any, name: str) -> Any:
    volumes = manifests.find("Deployment", name)["spec"]["template"]["spec"]["volumes"]
    return next(volume for volume in volumes if volume["name"] == "files")


def folder_of(manifests: Any, name: str) -> str:
    mounts = {mount["name"]: mount["mountPath"] for mount in manifests.containers()[name]["volumeMounts"]}
    folder: str = mounts["files"]
    return folder


def test_a_file_has_one_writer_that_ends_before_the_next_starts(scenario: Any) -> None:
    for name in KEEPERS.keys() & scenario.names("Deployment"):
        deployment = scenario.find("Deployment", name)
        assert deployment["spec"]["replicas"] == 1
        assert deployment["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("name", KEEPERS)
def test_what_is_kept_outlives_its_pod_and_the_release_as_shipped(render: Any, name: str) -> None:
    claim = render({}).find("PersistentVolumeClaim", name)
    assert volume_of(render({}), name)["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


@pytest.mark.parametrize(("name", "variable"), [("metering", "LEDGER_PATH"), ("prompt-registry", "PROMPT_STORE_PATH")])
def test_a_service_keeps_its_file_on_its_volume(render: Any, name: str, variable: str) -> None:
    assert render({}).env(name)[variable].startswith(f"{folder_of(render({}), name)}/")


def test_redis_keeps_its_file_on_its_volume(render: Any) -> None:
    settings = render({}).find("Secret", "redis-state")["stringData"]["redis.conf"]
    assert f"dir {folder_of(render({}), 'redis-state')}" in settings.splitlines()


@pytest.mark.parametrize(("name", "block"), KEEPERS.items())
def test_a_claim_is_made_as_it_is_asked_for(render: Any, name: str, block: str) -> None:
    manifests = render({block: {"persistence": {"size": "8Gi", "storageClass": "fast", "retain": False}}})
    claim = manifests.find("PersistentVolumeClaim", name)
    assert "annotations" not in claim["metadata"]
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "8Gi"}},
    }


def test_without_persistence_no_claim_is_made(render: Any) -> None:
    manifests = render({block: {"persistence": {"enabled": False}} for block in KEEPERS.values()})
    assert not manifests.of("PersistentVolumeClaim")
    for name in KEEPERS:
        assert volume_of(manifests, name) == {"name": "files", "emptyDir": {}}


def test_a_redis_elsewhere_needs_no_claim(render: Any) -> None:
    assert "redis-state" not in render({"stateRedis": {"enabled": False}}).names("PersistentVolumeClaim")
