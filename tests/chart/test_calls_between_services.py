"""How services call one another: mTLS where it is switched on, links unless they are switched off."""

from __future__ import annotations

from typing import Any

import pytest

SERVED = {"cache", "classifier", "provider-dispatch", "metering", "prompt-registry"}
CALLING = {"edge", "compact"}
TLS = {"enabled": True, "existingSecret": "ours"}
VARIABLES = {"TLS_CERT_FILE": "tls.crt", "TLS_KEY_FILE": "tls.key", "TLS_CA_FILE": "ca.crt"}
ON = {"tls": TLS, "simulator": {"enabled": True}}


def test_there_is_no_tls_as_shipped(render: Any) -> None:
    for name in render({}).services():
        assert not {*VARIABLES, "HEALTH_LISTEN_ADDRESS"} & render({}).env(name).keys()


@pytest.mark.parametrize("topology", ["distributed", "compact"])
def test_every_service_that_calls_or_is_called_is_given_the_secret_and_nobody_else_is(
    render: Any, topology: str
) -> None:
    manifests = render({**ON, "topology": topology})
    for name, container in manifests.containers().items():
        pod = manifests.find("Deployment", name)["spec"]["template"]["spec"]
        secrets = [volume["secret"]["secretName"] for volume in pod["volumes"] if volume["name"] == "tls"]
        assert secrets == (["ours"] if name in SERVED | CALLING else [])
        if secrets:
            (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "tls"]
            assert mount["readOnly"] is True
            assert "subPath" not in mount, "a single file would not follow its Secret"
            env = manifests.env(name)
            assert {variable: env[variable] for variable in VARIABLES} == {
                variable: f"{mount['mountPath']}/{file}" for variable, file in VARIABLES.items()
            }


def test_health_has_a_port_without_tls_that_the_probes_ask_and_no_service_or_policy_opens(render: Any) -> None:
    manifests = render(ON)
    for name, container in manifests.containers().items():
        address = {entry["name"]: entry.get("value") for entry in container.get("env", [])}.get("HEALTH_LISTEN_ADDRESS")
        assert (address is not None) is (name in SERVED)
        if address is None:
            continue
        port = int(address.rpartition(":")[2])
        assert {"name": "health", "containerPort": port} in container["ports"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[probe]["grpc"] == {"port": port}
        assert [each["targetPort"] for each in manifests.find("Service", name)["spec"]["ports"]] == ["main"]
        (rule,) = manifests.find("NetworkPolicy", name)["spec"]["ingress"]
        assert port not in {each["port"] for each in rule["ports"]}


@pytest.mark.parametrize(("topology", "caller"), [("distributed", "edge"), ("compact", "compact")])
def test_links_are_on_as_shipped_and_can_be_switched_off(render: Any, topology: str, caller: str) -> None:
    assert render({"topology": topology}).env(caller)["USE_LINKS"] == "true"
    assert render({"topology": topology, "useLinks": False}).env(caller)["USE_LINKS"] == "false"
