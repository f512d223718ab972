"""Metrics for Prometheus as the pipeline's `Meter`. No label holds anything that a client can invent."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from tollway_edge.adapters.fallback_counts import FallbackCounts
from tollway_edge.domain.last_resort import PROVIDER as LAST_RESORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.core import Metric

    from tollway_edge.domain.call import Call

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_LABELS = ("workspace", "dialect", "status", "http_status", "cache", "provider")

_Labels = tuple[str, str, str, int, str, str]


class _Series:
    """What calls of one kind add up to."""

    __slots__ = ("calls", "cost_micro_usd", "input", "output", "saved_micro_usd", "seconds", "within")

    def __init__(self) -> None:
        self.calls = self.input = self.output = self.cost_micro_usd = self.saved_micro_usd = 0
        self.seconds = 0.0
        self.within = [0] * (len(_SECONDS) + 1)
        """Calls by the first bucket that they fit in; the last is for all that took longer."""


class PrometheusMeter:
    """
    Counts calls, tokens and money.

    Plain numbers, made into metrics when they are asked for: prometheus_client's own counters lock at each step, and a
    call takes six of them.
    """

    def __init__(
        self,
        ledger_waiting: Callable[[], int],
        cache_dropped: Callable[[], int],
        kept_bytes: Callable[[], int],
        crowded_out: Callable[[], int],
    ) -> None:
        self.registry = registry = CollectorRegistry()
        Gauge("tollway_ledger_waiting", "Records not yet booked", registry=registry).set_function(ledger_waiting)
        Gauge("tollway_cache_writes_dropped", "Answers not kept", registry=registry).set_function(cache_dropped)
        Gauge("tollway_cache_kept_bytes", "Answers in memory for the cache", registry=registry).set_function(kept_bytes)
        told = "Streamed answers not kept for want of memory"
        Gauge("tollway_cache_crowded_out", told, registry=registry).set_function(crowded_out)
        self._series: dict[_Labels, _Series] = {}
        self._unpriced = self._last_resorts = 0
        self._fallbacks = FallbackCounts()
        registry.register(self._fallbacks)
        registry.register(self)

    def observe(self, call: Call, cost_micro_usd: int | None) -> None:
        workspace, seconds = call.workspace, call.seconds
        name = workspace.name if workspace else ""
        labels = (name, call.dialect, call.status, call.http_status, call.cache, call.provider)
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = _Series()
        series.calls += 1
        series.seconds += seconds
        series.within[bisect_left(_SECONDS, seconds)] += 1
        if call.fallback or len(call.attempts) > 1:
            self._fallbacks.observe(call)
        if call.is_last_resort:
            self._last_resorts += 1
        if call.cache != "none":
            series.saved_micro_usd += call.saved_micro_usd
            return
        usage = call.usage
        series.input += usage.input
        series.output += usage.output
        if cost_micro_usd:
            series.cost_micro_usd += cost_micro_usd
        elif cost_micro_usd is None and call.provider and call.provider != LAST_RESORT:
            self._unpriced += 1

    def collect(self) -> Iterable[Metric]:
        """Called by the registry for each scrape."""
        calls = CounterMetricFamily("tollway_calls", "Client calls that ended", labels=_LABELS)
        for labels, series in self._series.items():
            calls.add_metric([str(value) for value in labels], series.calls)
        yield calls
        yield self._durations()
        tokens = CounterMetricFamily("tollway_tokens", "Tokens of answered calls", labels=("workspace", "kind"))
        cost = CounterMetricFamily("tollway_cost_usd", "What calls cost", labels=("workspace",))
        saved = CounterMetricFamily("tollway_saved_usd", "What cache hits saved", labels=("workspace",))
        for workspace, all_series in self._grouped(0).items():
            tokens.add_metric((workspace, "input"), sum(series.input for series in all_series))
            tokens.add_metric((workspace, "output"), sum(series.output for series in all_series))
            cost.add_metric((workspace,), sum(series.cost_micro_usd for series in all_series) / 1_000_000)
            saved.add_metric((workspace,), sum(series.saved_micro_usd for series in all_series) / 1_000_000)
        yield from (tokens, cost, saved)
        yield CounterMetricFamily("tollway_unpriced_calls", "Calls of models without a price", self._unpriced)
        told = "Calls that nobody could answer and a fixed text was given to"
        yield CounterMetricFamily("tollway_last_resorts", told, self._last_resorts)

    def _durations(self) -> HistogramMetricFamily:
        family = HistogramMetricFamily("tollway_call_seconds", "Request to last byte", labels=("dialect",))
        for dialect, all_series in self._grouped(1).items():
            total, buckets = 0, []
            for place, limit in enumerate((*_SECONDS, float("inf"))):
                total += sum(series.within[place] for series in all_series)
                buckets.append(("+Inf" if limit == float("inf") else str(float(limit)), total))
            family.add_metric((dialect,), buckets, sum(series.seconds for series in all_series))
        return family

    def _grouped(self, label: int) -> dict[str, list[_Series]]:
        groups: dict[str, list[_Series]] = {}
        for labels, series in self._series.items():
            groups.setdefault(str(labels[label]), []).append(series)
        return groups
