"""An upgrade keeps keys, address and state, even where it changes the topology under them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cluster import Release

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]


@pytest.mark.parametrize("release", ["distributed"], indirect=True)
def test_the_other_topology_answers_with_the_same_key_and_state_at_the_same_address(release: Release) -> None:
    before, passwords = release.key(), passwords_of(release)
    made = release.ask("openai_kept", "a question whose answer is kept")
    release.upgrade({"topology": "compact"})
    release.wait()
    assert release.key() == before
    assert passwords_of(release) == passwords
    assert release.ask("read_again", made["id"]) == made
    answer = release.ask("anthropic_json", "a question after the upgrade")
    assert release.ask("booked", answer["headers"]["x-gateway-query-id"])["status"] == "succeeded"


def passwords_of(release: Release) -> list[str]:
    return [release.secret(name, "password") for name in ("redis-cache", "redis-state")]
