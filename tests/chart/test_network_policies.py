"""Who may reach whom, as the NetworkPolicies say it; enforcing them is the part of the cluster's network plugin."""

from __future__ import annotations

from typing import Any

CALLERS: dict[str, set[str] | None] = {
    "edge": None,
    "compact": None,
    "cache": {"edge"},
    "classifier": {"edge"},
    "provider-dispatch": {"edge"},
    "metering": {"edge", "compact"},
    "prompt-registry": {"edge", "compact"},
    "simulator": {"provider-dispatch", "compact"},
    "redis-cache": {"cache", "compact"},
    "redis-state": {"provider-dispatch", "compact"},
}


def callers(policy: dict[str, Any]) -> set[str] | None:
    """Components of this release that may call; None where everyone may."""
    (rule,) = policy["spec"]["ingress"]
    if "from" not in rule:
        return None
    (peer,) = rule["from"]
    assert peer.keys() == {"podSelector"}, "a namespaceSelector or ipBlock would let others in"
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/instance"] == "try"
    (expression,) = peer["podSelector"]["matchExpressions"]
    assert expression["operator"] == "In"
    return set(expression["values"])


def test_each_service_is_reached_by_its_callers_only_and_edge_by_everyone(scenario: Any) -> None:
    for policy in scenario.of("NetworkPolicy"):
        name = policy["metadata"]["name"].removeprefix("try-")
        assert callers(policy) == CALLERS[name]
        assert policy["spec"]["policyTypes"] == ["Ingress"]


def test_no_pod_is_without_a_policy_unless_they_are_switched_off(scenario: Any) -> None:
    assert scenario.names("NetworkPolicy") in (scenario.names("Deployment"), set())


def test_policies_are_on_as_shipped(render: Any) -> None:
    assert render({}).names("NetworkPolicy") == render({}).names("Deployment")
    assert not render({"networkPolicy": {"enabled": False}}).names("NetworkPolicy")


def test_a_policy_opens_the_one_port_that_its_pods_serve(scenario: Any) -> None:
    for policy in scenario.of("NetworkPolicy"):
        name = policy["metadata"]["name"].removeprefix("try-")
        port = scenario.containers()[name]["ports"][0]  # a second one is the kubelet's, whom no policy concerns
        assert policy["spec"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": port["containerPort"]}]
        deployment = scenario.find("Deployment", name)
        assert policy["spec"]["podSelector"] == deployment["spec"]["selector"]


def test_every_callee_of_a_service_lets_it_in(scenario: Any) -> None:
    for caller in scenario.services():
        for variable in scenario.env(caller):
            callee = variable.removesuffix("_ADDRESS").lower().replace("_", "-")
            if variable.endswith("_ADDRESS") and callee not in {"listen", "health-listen"}:
                assert caller in (CALLERS[callee] or {caller})


def test_every_redis_lets_those_in_who_are_told_of_it(scenario: Any) -> None:
    told = {
        (caller, source["secretKeyRef"]["name"].removeprefix("try-"))
        for caller in scenario.services()
        for variable, source in scenario.env(caller).items()
        if variable.endswith("_REDIS_URL")
    }
    running = scenario.names("Deployment") & {"redis-cache", "redis-state"}
    assert {redis for _, redis in told} >= running
    assert all(caller in (CALLERS[redis] or set()) for caller, redis in told if redis in running)
