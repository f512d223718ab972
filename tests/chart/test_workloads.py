"""What every pod of every scenario has: Pod Security `restricted`, probes, labels, limits."""

from __future__ import annotations

from typing import Any

import pytest

HTTP = {"edge": "/health/live", "compact": "/health/live", "simulator": "/health"}
PORTS = {
    "edge": 8000,
    "compact": 8000,
    "cache": 50051,
    "classifier": 50052,
    "provider-dispatch": 50053,
    "metering": 50054,
    "prompt-registry": 50055,
    "simulator": 8090,
    "redis-cache": 6379,
    "redis-state": 6379,
}

HEALTH_PORT = 50060  # where mTLS is on


def pods(scenario: Any) -> dict[str, Any]:
    return {
        item["metadata"]["name"].removeprefix("try-"): item["spec"]["template"]["spec"]
        for item in scenario.of("Deployment")
    }


def test_every_pod_fits_pod_security_restricted(scenario: Any) -> None:
    for pod in pods(scenario).values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_no_pod_carries_a_token_of_the_api_server(scenario: Any) -> None:
    assert all(account["automountServiceAccountToken"] is False for account in scenario.of("ServiceAccount"))
    for name, pod in pods(scenario).items():
        assert pod["automountServiceAccountToken"] is False
        assert pod["serviceAccountName"] == f"try-{name}"
        assert name in scenario.names("ServiceAccount")


def test_every_pod_is_probed_in_its_own_protocol(scenario: Any) -> None:
    for name, container in scenario.containers().items():
        has_tls = any(entry["name"] == "TLS_CERT_FILE" for entry in container.get("env", []))
        alive: dict[str, Any] = {"grpc": {"port": HEALTH_PORT if has_tls else PORTS[name]}}
        if name in HTTP:
            alive = {"httpGet": {"port": "main", "path": HTTP[name]}}
        if name not in scenario.services():
            alive = {"tcpSocket": {"port": "main"}}
        ready = {"httpGet": {"port": "main", "path": "/health"}} if name in HTTP else alive
        assert alive.items() <= container["startupProbe"].items()
        assert alive.items() <= container["livenessProbe"].items()
        assert ready.items() <= container["readinessProbe"].items()


def test_every_service_listens_where_its_service_object_points(scenario: Any) -> None:
    for name, container in scenario.containers().items():
        assert container["ports"][0] == {"name": "main", "containerPort": PORTS[name]}
        if name in scenario.services():
            assert scenario.env(name)["LISTEN_ADDRESS"] == f"0.0.0.0:{PORTS[name]}"
        service = scenario.find("Service", "edge" if name == "compact" else name)
        assert service["spec"]["selector"].items() <= pod_labels(scenario, name).items()
        assert [port["targetPort"] for port in service["spec"]["ports"]] == ["main"]


def pod_labels(scenario: Any, name: str) -> dict[str, str]:
    labels: dict[str, str] = scenario.find("Deployment", name)["spec"]["template"]["metadata"]["labels"]
    return labels


def test_services_that_scale_are_headless_so_that_callers_balance(scenario: Any) -> None:
    for service in scenario.of("Service"):
        name = service["metadata"]["name"].removeprefix("try-")
        is_balanced = name in {"cache", "classifier", "provider-dispatch"}
        assert (service["spec"].get("clusterIP") == "None") is is_balanced
        assert service["spec"].get("publishNotReadyAddresses", False) is is_balanced


def test_every_address_names_a_service_of_the_release(scenario: Any) -> None:
    known = {
        f"{service['metadata']['name']}:{port['port']}"
        for service in scenario.of("Service")
        for port in service["spec"]["ports"]
    }
    for name, container in scenario.containers().items():
        addresses = {e["value"] for e in container.get("env", []) if e["name"].endswith("_ADDRESS")}
        assert addresses - {f"0.0.0.0:{PORTS[name]}", f"0.0.0.0:{HEALTH_PORT}"} <= known


def test_every_object_carries_the_recommended_labels(scenario: Any) -> None:
    for item in scenario:
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "tollway"
        assert labels["app.kubernetes.io/instance"] == "try"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert {"app.kubernetes.io/component", "app.kubernetes.io/version", "helm.sh/chart"} <= labels.keys()


def test_every_container_asks_for_what_it_needs_and_is_bounded_in_memory(scenario: Any) -> None:
    for container in scenario.containers().values():
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


def test_every_volume_is_mounted_and_every_mount_has_a_volume(scenario: Any) -> None:
    for pod in pods(scenario).values():
        mounts = {mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
        assert mounts == {volume["name"] for volume in pod["volumes"]}


def test_only_workloads_with_several_pods_have_a_disruption_budget(scenario: Any) -> None:
    several = {
        item["metadata"]["name"].removeprefix("try-")
        for item in scenario.of("Deployment")
        if item["spec"]["replicas"] > 1
    }
    assert scenario.names("PodDisruptionBudget") == several


@pytest.mark.parametrize("topology", ["distributed", "compact"])
def test_a_pod_has_time_to_end_what_it_serves(render: Any, topology: str) -> None:
    manifests = render({"topology": topology})
    assert {pod["terminationGracePeriodSeconds"] for pod in pods(manifests).values()} == {30}
    front = manifests.containers()["edge" if topology == "distributed" else "compact"]
    assert front["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "5"]
