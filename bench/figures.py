"""From rounds to figures: medians, ratios to the relay of the same round, percentiles; called by `__main__`."""

from __future__ import annotations

import itertools
import os
import platform
import statistics
from typing import TYPE_CHECKING, Any

from bench.budgets import BUDGETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.measure import Measured, Sample
    from bench.processes import Target

YARDSTICK = "relay"


def figures_of(measured: Measured, upstream: Target, targets: Sequence[Target]) -> dict[str, Any]:
    return {
        "machine": machine(),
        "cases": {name: _case(samples) for name, samples in measured.samples.items()},
        "latency": _latency(measured.latencies, upstream.name) if measured.latencies else {},
        "memory_mib": {target.name: {k: round(v, 1) for k, v in target.memory.items()} for target in targets},
        "budgets": BUDGETS,
    }


def machine() -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": round(os.getloadavg()[0], 2),
    }


def _case(samples: dict[str, list[Sample]]) -> dict[str, Any]:
    base = [sample.cpu_ms for sample in samples[YARDSTICK]]
    found = {}
    for name, rounds in samples.items():
        cpu = [sample.cpu_ms for sample in rounds]
        # each against the relay of its own round: a machine that slows down slows both
        ratios = [mine / relays for mine, relays in zip(cpu, base, strict=True)]
        found[name] = {
            "cpu_ms": round(statistics.median(cpu), 4),
            "cpu_ratio": round(statistics.median(ratios), 3),
            "cpu_ratio_least": round(min(ratios), 3),
            "cpu_ratio_most": round(max(ratios), 3),
            "per_second": round(statistics.median(sample.per_second for sample in rounds), 1),
            "rounds_cpu_ms": [round(value, 4) for value in cpu],
        }
    return found


def _latency(latencies: dict[str, list[list[float]]], upstream: str) -> dict[str, Any]:
    """Return p50 as the median over rounds, p99 over all rounds together: one round has too few for it."""
    direct = latencies[upstream]
    direct_p99 = _percentile(list(itertools.chain(*direct)), 99)
    found: dict[str, Any] = {}
    for name, rounds in latencies.items():
        p99 = _percentile(list(itertools.chain(*rounds)), 99)
        added = [statistics.median(mine) - statistics.median(bare) for mine, bare in zip(rounds, direct, strict=True)]
        found[name] = {
            "p50_ms": round(statistics.median(statistics.median(mine) for mine in rounds), 3),
            "p99_ms": round(p99, 3),
            "added_p50_ms": round(statistics.median(added), 3),
            "added_p99_ms": round(p99 - direct_p99, 3),
        }
    return found


def _percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
