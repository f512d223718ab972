"""Real clients, unmodified, notice no difference between the provider and the gateway before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from comparing.clients import CLIENTS
from comparing.environments import Unavailable, command_for
from comparing.known import KNOWN, Known
from comparing.runs import ONLY, Target, run_checks
from comparing.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from comparing.clients import Client
    from comparing.straight import StraightRuns
    from gateway import Gateway

pytestmark = pytest.mark.compat


def test_a_client_notices_no_difference(
    gateway: Gateway, client: Client, straight_runs: StraightRuns, record_property: Callable[[str, object], None]
) -> None:
    try:
        command = command_for(client)
    except Unavailable as reason:
        pytest.skip(str(reason))
    straight = straight_runs.of(client, command, gateway.simulator_url)
    through = run_checks(command, client.name, Target(gateway.url, gateway.key, gateway.simulator_url))
    verdict = judge(client.name, straight, through)
    if not straight:
        pytest.skip(f"no check's name contains {ONLY!r}")
    assert verdict.passed or ONLY, "no check passed: nothing was compared"
    row = {"client": client.name, "topology": gateway.topology, "checks": len(straight), **verdict.counts()}
    record_property("table", {"title": "clients straight and through the gateway", "row": row})
    if trouble := verdict.trouble(is_whole=not ONLY):
        pytest.fail(trouble, pytrace=False)


@pytest.mark.parametrize("known", KNOWN, ids=[f"{one.checks} {one.paths}" for one in KNOWN])
def test_every_known_difference_has_a_reason_and_a_client(
    known: Known, record_property: Callable[[str, object], None]
) -> None:
    row = {"clients": known.clients, "checks": known.checks, "differ in": known.paths, "because": known.reason}
    record_property("table", {"title": "differences that are meant", "row": row})
    assert known.reason
    assert any(known.is_about(client.name) for client in CLIENTS)
