"""An upgrade keeps the key and the address, even where it changes the topology under them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cluster import Release

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]


@pytest.mark.parametrize("release", ["distributed"], indirect=True)
def test_the_other_topology_answers_with_the_same_key_at_the_same_address(release: Release) -> None:
    before, password = release.key(), release.secret("redis-cache", "password")
    release.upgrade({"topology": "compact"})
    release.wait()
    assert release.key() == before
    assert release.secret("redis-cache", "password") == password
    answer = release.ask("anthropic_json", "a question after the upgrade")
    assert release.ask("booked", answer["headers"]["x-gateway-query-id"])["status"] == "succeeded"
