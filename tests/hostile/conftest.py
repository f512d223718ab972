"""
A Tollway with small limits, in two topologies, and what must hold behind every test that was hostile to it.

It still answers, on a fresh connection; its log has no trace; its memory is what it was, but for a bounded rest.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from gateway import ONE_TRY, Gateway, config_with, running
from hostile.asking import ENDPOINTS, MESSAGES, Endpoint
from hostile.connection import Connection
from hostile.limits import LIMITS
from hostile.memory import memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOPOLOGIES = ("compact", "distributed")
# words of a log that nobody who behaves badly can write
FAULTS = ("Traceback", '"trace"', "failed unexpectedly", "never retrieved", "never awaited")
# what a process may keep after a whole run: its caches, its allocator's spare pages
MOST_GROWTH = 128 << 20


@pytest.fixture(
    scope="session",
    params=[pytest.param(topology, marks=pytest.mark.xdist_group(f"hostile-{topology}")) for topology in TOPOLOGIES],
)
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp(f"hostile-{request.param}")
    config = config_with(folder, edge=LIMITS, provider_dispatch=ONE_TRY)
    with running(request.param, folder, TOLLWAY_CONFIG=config) as started:
        before = memory(started)
        yield started
        after = memory(started)
        seen = started.log.stat().st_size
    assert_no_fault(log_since(started, seen))  # and none while it ended
    grown = {name: after[name] - before[name] for name in before if after[name] - before[name] > MOST_GROWTH}
    assert not grown, f"processes grew by more than {MOST_GROWTH} bytes: {grown}"


@pytest.fixture(params=ENDPOINTS, ids=str)
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    return request.param


@pytest.fixture
def connect(gateway: Gateway) -> Iterator[Callable[..., Connection]]:
    """Open connections that end with the test."""
    opened = []

    def open_one(**options: Any) -> Connection:
        opened.append(Connection(gateway.url, **options))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.socket.close()


@pytest.fixture(autouse=True)
def unharmed(gateway: Gateway) -> Iterator[None]:
    """After each test: no trace in the log, and the next client is served."""
    seen = gateway.log.stat().st_size
    yield
    answers_plainly(gateway)
    assert_no_fault(log_since(gateway, seen))


def log_since(gateway: Gateway, seen: int) -> str:
    return gateway.log.read_bytes()[seen:].decode()


def assert_no_fault(log: str) -> None:
    for word in FAULTS:
        assert word not in log, f"the log tells of a fault:\n{log[max(0, log.index(word) - 500) :][:4000]}"


def answers_plainly(gateway: Gateway, endpoint: Endpoint = MESSAGES) -> None:
    with Connection(gateway.url) as fresh:
        answer = fresh.ask(endpoint.request(gateway.key))
    assert answer.status == 200, f"it does not serve the next client: {answer}"
