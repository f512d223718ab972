"""Runs the rounds: every case on every target in turn, CPU before and after; called by `__main__`."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.cases import HIT, JSON, Case
from bench.errors import BenchFailed
from bench.load import closed_loop, connected, open_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.processes import Target

CONNECTIONS = 16
WARM_UP = 4  # requests a connection before each count: pools fill, idle connections are replaced
FIRST_WARM_UP = 32  # before the first round: lazy imports, inline caches, allocator
RATE = 50.0
LATENCY_TURNS = 5  # a round, each of all targets: a machine that slows down for a second slows all of them
LATENCY_REQUESTS = 20  # a target and turn
QUIET_SECONDS = 0.2
QUIET_CPU_SECONDS = 0.015  # one tick of the clock that CPU time is told in where nothing better is known
MOST_QUIET_SECONDS = 10.0


@dataclass(frozen=True)
class Plan:
    """What is asked, and how often."""

    cases: Sequence[Case]
    with_latency: bool
    rounds: int
    requests: int
    """Of the JSON cases, for each target and round; others are a share of it."""


@dataclass(frozen=True)
class Sample:
    """One case on one target in one round."""

    cpu_ms: float
    per_second: float


@dataclass
class Measured:
    """Everything that was seen, round by round."""

    samples: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)
    """By case and target."""
    latencies: dict[str, list[list[float]]] = field(default_factory=dict)
    """Milliseconds by target, a list for each round."""
    sent: dict[str, int] = field(default_factory=dict)
    """Requests by target, warm-up included."""


class Bench:
    """
    One run.

    Args:
        upstream: What stands behind all targets; asked directly where latency is measured.
        targets: What is compared.
        plan: What is asked.
        tell: Takes a line about what happens now.
    """

    def __init__(self, upstream: Target, targets: Sequence[Target], plan: Plan, tell: Callable[[str], None]) -> None:
        self.measured = Measured()
        self._upstream = upstream
        self._targets = targets
        self._plan = plan
        self._tell = tell

    async def run(self) -> Measured:
        self._tell("warm-up")
        for target in self._targets:
            await self._wait_for_hit(target)
            for case in self._plan.cases or (JSON,):
                await self._load(case, target, round(FIRST_WARM_UP * CONNECTIONS * case.share))
        for number in range(1, self._plan.rounds + 1):
            await self._round(f"round {number} of {self._plan.rounds}")
        for target in self._targets:
            await self._check_ledger(target)
        return self.measured

    async def _round(self, name: str) -> None:
        for case in self._plan.cases:
            for target in self._targets:
                self._tell(f"{name}: {case.title}, {target.name}")
                sample = await self._sample(case, target)
                self.measured.samples.setdefault(case.name, {}).setdefault(target.name, []).append(sample)
        if self._plan.with_latency:
            self._tell(f"{name}: latency")
            await self._latencies()

    async def _sample(self, case: Case, target: Target) -> Sample:
        count = max(CONNECTIONS, round(self._plan.requests * case.share))
        requests = case.requests(target, count)
        async with connected(target.host, target.port, CONNECTIONS) as connections:
            warm_up = CONNECTIONS if case.share < 0.1 else WARM_UP * CONNECTIONS
            await closed_loop(connections, case.requests(target, warm_up), case.check(target))
            before = await _quiet_cpu(target)
            seconds = await closed_loop(connections, requests, case.check(target))
            after = await _quiet_cpu(target)
        self._count(target, warm_up + count)
        return Sample((after - before) * 1000 / count, count / seconds)

    async def _latencies(self) -> None:
        found: dict[str, list[float]] = {}
        for _ in range(LATENCY_TURNS):
            for target in (self._upstream, *self._targets):
                found.setdefault(target.name, []).extend(await self._latency(target))
        for name, milliseconds in found.items():
            self.measured.latencies.setdefault(name, []).append(milliseconds)

    async def _latency(self, target: Target) -> list[float]:
        async with connected(target.host, target.port, CONNECTIONS) as connections:
            await closed_loop(connections, JSON.requests(target, CONNECTIONS), JSON.check(target))
            requests = JSON.requests(target, LATENCY_REQUESTS)
            seconds = await open_loop(connections, requests, RATE, JSON.check(target))
        self._count(target, CONNECTIONS + LATENCY_REQUESTS)
        return [second * 1000 for second in seconds]

    async def _load(self, case: Case, target: Target, count: int) -> None:
        async with connected(target.host, target.port, CONNECTIONS) as connections:
            await closed_loop(connections, case.requests(target, count), case.check(target))
        self._count(target, count)

    async def _wait_for_hit(self, target: Target) -> None:
        """Ask the repeated question until its answer comes from the cache: answers are stored behind the request."""
        if not target.is_tollway or HIT not in self._plan.cases:
            return
        async with connected(target.host, target.port, 1) as (connection,):
            for _ in range(50):
                answer = await connection.ask(HIT.requests(target, 1)[0])
                self._count(target, 1)
                if answer.headers.get(b"x-gateway-cache") == b"exact":
                    return
                await asyncio.sleep(0.1)
        raise BenchFailed(f"{target.name} never answered a repeated request from its cache")

    async def _check_ledger(self, target: Target) -> None:
        """Compare what was booked with what was sent: a gateway that does not meter is no yardstick's match."""
        if not target.is_tollway:
            return
        request = f"GET /v1/metrics HTTP/1.1\r\nhost: {target.host}\r\nx-api-key: {target.key}\r\n\r\n"
        async with connected(target.host, target.port, 1) as (connection,):
            answer = await connection.ask(request.encode())
        booked = json.loads(answer.body)["calls"]
        if booked != self.measured.sent[target.name]:
            raise BenchFailed(f"{target.name} booked {booked} of {self.measured.sent[target.name]} calls")

    def _count(self, target: Target, requests: int) -> None:
        self.measured.sent[target.name] = self.measured.sent.get(target.name, 0) + requests


async def _quiet_cpu(target: Target) -> float:
    """Return the CPU time once it stands still: what is booked and stored behind the answers belongs to them."""
    used = target.cpu_seconds()
    for _ in range(round(MOST_QUIET_SECONDS / QUIET_SECONDS)):
        await asyncio.sleep(QUIET_SECONDS)
        now = target.cpu_seconds()
        if now - used < QUIET_CPU_SECONDS:
            return now
        used = now
    raise BenchFailed(f"{target.name} is busy though nobody asks it anything")
