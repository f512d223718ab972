"""The two Redis, one that forgets answers and one that keeps state: their settings, and who is told where they are."""

from __future__ import annotations

from typing import Any

import pytest

BLOCKS = {"redis-cache": "redis", "redis-state": "stateRedis"}
READERS = [
    ("redis-cache", "distributed", "cache"),
    ("redis-cache", "compact", "compact"),
    ("redis-state", "distributed", "provider-dispatch"),
    ("redis-state", "compact", "compact"),
]
each_redis = pytest.mark.parametrize("name", BLOCKS)


def variable_of(name: str) -> str:
    return f"{name.removeprefix('redis-').upper()}_REDIS_URL"


def settings_of(manifests: Any, name: str) -> list[str]:
    lines: list[str] = manifests.find("Secret", name)["stringData"]["redis.conf"].splitlines()
    return lines


def test_the_redis_of_answers_evicts_and_writes_no_disk(render: Any) -> None:
    wanted = {'save ""', "appendonly no", "maxmemory 192mb", "maxmemory-policy allkeys-lru"}
    assert wanted <= set(settings_of(render({}), "redis-cache"))


def test_the_redis_of_state_evicts_nothing_and_writes_what_it_is_told(render: Any) -> None:
    wanted = {'save ""', "appendonly yes", "maxmemory 96mb", "maxmemory-policy noeviction"}
    assert wanted <= set(settings_of(render({}), "redis-state"))


@each_redis
def test_a_redis_of_the_release_has_a_password_that_its_url_carries(render: Any, name: str) -> None:
    secret = render({}).find("Secret", name)["stringData"]
    assert len(secret["password"]) == 32
    assert f"requirepass {secret['password']}" in settings_of(render({}), name)
    assert secret["url"] == f"redis://:{secret['password']}@try-{name}:6379/0"


def test_no_redis_opens_with_the_password_of_the_other(render: Any) -> None:
    assert len({render({}).find("Secret", name)["stringData"]["password"] for name in BLOCKS}) == 2


@pytest.mark.parametrize(("name", "topology", "reader"), READERS)
@pytest.mark.parametrize(
    ("values", "secret"),
    [
        ({}, "try-{}"),
        ({"enabled": False, "url": "redis://elsewhere:6379/0"}, "try-{}"),
        ({"enabled": False, "existingSecret": "ours"}, "ours"),
        ({"enabled": False}, None),
    ],
)
def test_who_uses_a_redis_is_told_which(
    render: Any, name: str, topology: str, reader: str, values: Any, secret: str | None
) -> None:
    manifests = render({"topology": topology, BLOCKS[name]: values})
    source = manifests.env(reader).get(variable_of(name), {}).get("secretKeyRef")
    assert source == ({"name": secret.format(name), "key": "url"} if secret else None)
    assert (name in manifests.names("Deployment")) is (values == {})
    if "url" in values:
        assert manifests.find("Secret", name)["stringData"] == {"url": values["url"]}


@pytest.mark.parametrize(("name", "topology", "reader"), READERS)
def test_nobody_else_is_told_where_a_redis_is(render: Any, name: str, topology: str, reader: str) -> None:
    manifests = render({"topology": topology})
    assert {told for told in manifests.services() if variable_of(name) in manifests.env(told)} == {reader}


@each_redis
def test_an_image_and_a_size_of_ones_own_reach_their_redis_only(render: Any, name: str) -> None:
    manifests = render({BLOCKS[name]: {"image": "our/redis:8", "maxMemory": "1gb"}})
    assert {other for other in BLOCKS if manifests.containers()[other]["image"] == "our/redis:8"} == {name}
    assert {other for other in BLOCKS if "maxmemory 1gb" in settings_of(manifests, other)} == {name}


@pytest.mark.parametrize(
    ("values", "restarted"),
    [
        ({"redis": {"maxMemory": "1gb"}}, {"redis-cache"}),
        ({"stateRedis": {"maxMemory": "1gb"}}, {"redis-state"}),
        ({"stateRedis": {"enabled": False, "url": "redis://a:6379/0"}}, {"provider-dispatch"}),
    ],
)
def test_a_changed_redis_restarts_what_reads_the_change(render: Any, values: Any, restarted: set[str]) -> None:
    def checksum(manifests: Any, name: str) -> Any:
        return manifests.find("Deployment", name)["spec"]["template"]["metadata"]["annotations"]["checksum/settings"]

    before, after = render({}), render(values)
    both = before.names("Deployment") & after.names("Deployment")
    assert {name for name in both if checksum(before, name) != checksum(after, name)} == restarted
