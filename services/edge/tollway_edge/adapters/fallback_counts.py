"""`tollway_fallbacks_total`: how often calls fell through to another candidate, and why; part of the meter."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from prometheus_client.core import CounterMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prometheus_client.core import Metric

_LABELS = ("from", "to", "reason")


class FallbackCounts:
    """Told only of calls that took more than one try, or whose first choice was left alone."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def observe(self, attempts: Sequence[Any], fallback: str) -> None:
        rows = [row for row in attempts if row.provider]  # of one that a client left, nobody may have told who it was
        candidates = [f"{row.provider}/{row.model}" for row in rows]
        if fallback and candidates:
            first = fallback.partition("; ")[0].removeprefix("from=")
            if first not in candidates:  # nobody asked it: its breaker was open
                self._counts[first, candidates[0], "left_alone"] += 1
        for (before, row), (after, _) in pairwise(zip(candidates, rows, strict=True)):
            if before != after:
                self._counts[before, after, row.reason] += 1

    def collect(self) -> Iterable[Metric]:
        """Called by the registry for each scrape."""
        family = CounterMetricFamily("tollway_fallbacks", "Falls to another candidate", labels=_LABELS)
        for labels, count in self._counts.items():
            family.add_metric(labels, count)
        yield family
