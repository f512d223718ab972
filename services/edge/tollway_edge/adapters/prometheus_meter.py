"""Metrics for Prometheus as the pipeline's `Meter`. No label holds anything that a client can invent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_edge.domain.call import Call

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


# a series a counter that no dashboard reads
disable_created_metrics()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class _Series:
    """What one kind of call counts in: the metrics with their labels filled in, which `labels` does slowly."""

    calls: Counter
    seconds: Histogram
    input: Counter
    output: Counter
    cost: Counter
    saved: Counter


class PrometheusMeter:
    """Counts calls, tokens and money."""

    def __init__(
        self,
        ledger_waiting: Callable[[], int],
        cache_dropped: Callable[[], int],
        kept_bytes: Callable[[], int],
        crowded_out: Callable[[], int],
    ) -> None:
        self.registry = registry = CollectorRegistry()
        self._calls = Counter(
            "tollway_calls",
            "Client calls that ended",
            ["workspace", "dialect", "status", "http_status", "cache", "provider"],
            registry=registry,
        )
        self._seconds = Histogram(
            "tollway_call_seconds",
            "Request to last byte",
            ["dialect"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._tokens = Counter("tollway_tokens", "Tokens of answered calls", ["workspace", "kind"], registry=registry)
        self._cost = Counter("tollway_cost_usd", "What calls cost", ["workspace"], registry=registry)
        self._saved = Counter("tollway_saved_usd", "What cache hits saved", ["workspace"], registry=registry)
        self._unpriced = Counter("tollway_unpriced_calls", "Calls of models without a price", registry=registry)
        Gauge("tollway_ledger_waiting", "Records not yet booked", registry=registry).set_function(ledger_waiting)
        Gauge("tollway_cache_writes_dropped", "Answers not kept", registry=registry).set_function(cache_dropped)
        Gauge("tollway_cache_kept_bytes", "Answers in memory for the cache", registry=registry).set_function(kept_bytes)
        told = "Streamed answers not kept for want of memory"
        Gauge("tollway_cache_crowded_out", told, registry=registry).set_function(crowded_out)
        self._series: dict[tuple[str | int, ...], _Series] = {}

    def observe(self, call: Call, cost_micro_usd: int | None) -> None:
        workspace = call.workspace.name if call.workspace else ""
        labels = (workspace, call.dialect, call.status, call.http_status, call.cache, call.provider)
        series = self._series.get(labels) or self._new_series(labels)
        series.calls.inc()
        series.seconds.observe(call.seconds())
        if call.cache != "none":
            series.saved.inc(call.saved_micro_usd / 1_000_000)
            return
        series.input.inc(call.usage.input)
        series.output.inc(call.usage.output)
        if cost_micro_usd is not None:
            series.cost.inc(cost_micro_usd / 1_000_000)
        elif call.provider:
            self._unpriced.inc()

    def _new_series(self, labels: tuple[str | int, ...]) -> _Series:
        workspace, dialect = labels[:2]
        series = self._series[labels] = _Series(
            calls=self._calls.labels(*labels),
            seconds=self._seconds.labels(dialect),
            input=self._tokens.labels(workspace, "input"),
            output=self._tokens.labels(workspace, "output"),
            cost=self._cost.labels(workspace),
            saved=self._saved.labels(workspace),
        )
        return series
