"""Where keys come from, who gets them, and that nobody else does."""

from __future__ import annotations

import json
from typing import Any

import pytest


def key_source(manifests: Any) -> Any:
    return manifests.env("metering")["DEFAULT_WORKSPACE_KEY"]["secretKeyRef"]


def test_a_virtual_key_is_made_when_none_is_given(render: Any) -> None:
    secret = render({}).find("Secret", "key")
    assert secret["stringData"]["key"].startswith("tw_")
    assert len(secret["stringData"]["key"]) == 43
    assert key_source(render({})) == {"name": "try-key", "key": "key"}


def test_a_virtual_key_can_be_given(render: Any) -> None:
    manifests = render({"auth": {"key": "tw_0123456789abcdef0123"}})
    assert manifests.find("Secret", "key")["stringData"] == {"key": "tw_0123456789abcdef0123"}


def test_a_virtual_key_can_come_from_a_secret_of_ones_own(render: Any) -> None:
    manifests = render({"auth": {"existingSecret": "ours"}})
    assert "key" not in manifests.names("Secret")
    assert key_source(manifests) == {"name": "ours", "key": "key"}


@pytest.mark.parametrize(("topology", "holder"), [("distributed", "provider-dispatch"), ("compact", "compact")])
def test_provider_keys_reach_the_one_that_calls_providers_and_nobody_else(
    render: Any, topology: str, holder: str
) -> None:
    keys = {"ANTHROPIC_API_KEY": "sk-ant-1", "OPENAI_API_KEY_5": "sk-5"}
    manifests = render({"topology": topology, "providers": {"keys": keys, "existingSecret": "more"}})
    assert manifests.find("Secret", "providers")["stringData"] == keys
    sources = {name: container.get("envFrom") for name, container in manifests.containers().items()}
    assert sources.pop(holder) == [{"secretRef": {"name": "try-providers"}}, {"secretRef": {"name": "more"}}]
    assert set(sources.values()) == {None}


def test_secrets_are_in_secret_objects_only(render: Any) -> None:
    values = {
        "auth": {"key": "tw_very-secret-key-0001"},
        "providers": {"keys": {"OPENAI_API_KEY": "sk-very-secret"}},
        "redis": {"enabled": False, "url": "redis://:very-secret@elsewhere:6379/0"},
        "stateRedis": {"enabled": False, "url": "redis://:very-secret@elsewhere:6379/1"},
    }
    for item in render(values):
        assert ("very-secret" in json.dumps(item)) is (item["kind"] == "Secret")
