"""The Tollway that is checked, TOLLWAY_URL with TOLLWAY_KEY or else a local one, and the table at the end."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import openai
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from gateway import running

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 30
MARKS = {"passed": "✓", "failed": "✗", "skipped": "·"}
_GUIDES: dict[str, str] = {}


@dataclass(frozen=True)
class Target:
    """A running Tollway, seen from outside."""

    url: str
    key: str = field(repr=False)
    client: httpx2.Client = field(repr=False)

    def dialects(self) -> set[str]:
        """Return the dialects that some provider serves: a provider without a key serves none."""
        listed = self.client.get("/v1/models").raise_for_status().json()["data"]
        tiers = {model["id"] for model in listed if model["owned_by"] == "tollway"}
        claude = self.client.get("/v1/models", headers={"anthropic-version": "2023-06-01"}).raise_for_status().json()
        served = {"openai"} if len(listed) > len(tiers) else set()
        return served | ({"anthropic"} if {model["id"] for model in claude["data"]} - tiers else set())


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    url = os.environ.get("TOLLWAY_URL", "").rstrip("/")
    if url:
        yield from _reached(url, os.environ.get("TOLLWAY_KEY", ""))
        return
    with running("local", tmp_path_factory.mktemp("smoke")) as gateway:
        yield from _reached(gateway.url, gateway.key)


def _reached(url: str, key: str) -> Iterator[Target]:
    with httpx2.Client(base_url=url, headers={"x-api-key": key}, timeout=PATIENCE_SECONDS) as client:
        yield Target(url, key, client)


@pytest.fixture(scope="session")
def dialects(target: Target) -> set[str]:
    try:
        return target.dialects()
    except httpx2.HTTPError:
        pytest.skip("nothing can be asked: the first checks say why")


@pytest.fixture
def claude(target: Target, dialects: set[str]) -> Iterator[anthropic.Anthropic]:
    if "anthropic" not in dialects:
        pytest.skip("no provider serves Anthropic's dialect here")
    options: dict[str, Any] = {"max_retries": 0, "timeout": PATIENCE_SECONDS}
    with anthropic.Anthropic(base_url=target.url, api_key=target.key, **options) as client:
        yield client


@pytest.fixture
def gpt(target: Target, dialects: set[str]) -> Iterator[openai.OpenAI]:
    if "openai" not in dialects:
        pytest.skip("no provider serves OpenAI's dialect here")
    options: dict[str, Any] = {"max_retries": 0, "timeout": PATIENCE_SECONDS}
    with openai.OpenAI(base_url=f"{target.url}/v1", api_key=target.key, **options) as client:
        yield client


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what costs money, unless it is asked for by its marker."""
    if "network" in config.getoption("-m"):
        return
    costly = [item for item in items if item.get_closest_marker("network")]
    if costly:
        items[:] = [item for item in items if item not in costly]
        config.hook.pytest_deselected(items=costly)


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function):
        _GUIDES[item.nodeid] = " ".join((item.function.__doc__ or "").split())


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what was checked, one line each, and under what failed what was seen and what to do."""
    if not os.environ.get("TOLLWAY_URL"):
        return
    terminalreporter.write_line(f"\n\nTollway at {os.environ['TOLLWAY_URL']}\n")
    outcomes = ("passed", "failed", "error", "skipped")
    reports = [report for outcome in outcomes for report in _of(terminalreporter, outcome)]
    order = list(_GUIDES)
    for report in sorted(reports, key=lambda report: order.index(report.nodeid)):
        name = report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        terminalreporter.write_line(f"  {MARKS[report.outcome]} {name}")
        if report.outcome == "failed":
            terminalreporter.write_line(f"      seen: {_seen(report)}")
            terminalreporter.write_line(f"      to do: {_GUIDES[report.nodeid]}")
        elif report.outcome == "skipped":
            terminalreporter.write_line(f"      left out: {report.longrepr[2].removeprefix('Skipped: ')}")
    terminalreporter.write_line("")


def _of(terminalreporter: Any, outcome: str) -> list[Any]:
    return [report for report in terminalreporter.stats.get(outcome, []) if report.nodeid in _GUIDES]


def _seen(report: Any) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return (crash.message if crash else str(report.longrepr)).splitlines()[0][:300]
