"""Metrics for Prometheus as the pipeline's `Meter`. No label holds anything that a client can invent."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec.structs import astuple
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from tollway_edge.adapters.fallback_counts import FallbackCounts
from tollway_edge.domain.last_resort import PROVIDER as LAST_RESORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from prometheus_client.core import Metric
    from tollway_dialects.usage import Usage

    from tollway_edge.adapters.ledger_records import Kind, Record

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_LABELS = ("workspace", "dialect", "status", "http_status", "cache", "provider")

MOST_UNCOUNTED = 512
"""Calls that may wait to be counted together."""

_labels = attrgetter(*_LABELS)

_Labels = tuple[str, str, str, int, str, str]


class _Series:
    """What calls with the same labels add up to."""

    __slots__ = ("calls", "cost_micro_usd", "input", "output", "saved_micro_usd", "seconds", "within")

    def __init__(self) -> None:
        self.calls = self.input = self.output = self.cost_micro_usd = self.saved_micro_usd = 0
        self.seconds = 0.0
        self.within = [0] * len(_SECONDS)
        """Calls that took no longer than each of `_SECONDS`."""

    def add_durations(self, seconds: Sequence[float]) -> None:
        ordered = sorted(seconds)
        self.calls += len(ordered)
        self.seconds += sum(ordered)
        self.within = [
            before + bisect_right(ordered, limit) for before, limit in zip(self.within, _SECONDS, strict=True)
        ]

    def add_usage(self, usages: Iterable[Usage]) -> None:
        *inputs, output, _, _ = map(sum, zip(*map(astuple, usages), strict=True))
        self.input += sum(inputs)
        self.output += output


class PrometheusMeter:
    """
    Counts calls, tokens and money.

    Records wait until there are many, or somebody asks, since adding up columns costs a fraction of adding to numbers
    for each call.
    """

    def __init__(
        self,
        ledger_waiting: Callable[[], int],
        cache_dropped: Callable[[], int],
        cache_keys_known: Callable[[], bool],
        kept_bytes: Callable[[], int],
        crowded_out: Callable[[], int],
    ) -> None:
        self.registry = registry = CollectorRegistry()
        Gauge("tollway_ledger_waiting", "Records not yet booked", registry=registry).set_function(ledger_waiting)
        Gauge("tollway_cache_writes_dropped", "Answers not kept", registry=registry).set_function(cache_dropped)
        told = "1 while it is known which keys the cache has answers to, and it is asked for no others"
        Gauge("tollway_cache_keys_known", told, registry=registry).set_function(cache_keys_known)
        Gauge("tollway_cache_kept_bytes", "Answers in memory for the cache", registry=registry).set_function(kept_bytes)
        told = "Streamed answers not kept for want of memory"
        Gauge("tollway_cache_crowded_out", told, registry=registry).set_function(crowded_out)
        self._uncounted: list[Record] = []
        self._series: dict[_Labels, _Series] = defaultdict(_Series)
        self._unpriced = self._last_resorts = 0
        self._fallbacks = FallbackCounts()
        registry.register(self)

    def observe(self, record: Record) -> None:
        """Count one call, by the time that somebody asks."""
        uncounted = self._uncounted
        uncounted.append(record)
        if len(uncounted) >= MOST_UNCOUNTED:
            self._count()

    def _count(self) -> None:
        uncounted, self._uncounted = self._uncounted, []
        of_kinds: dict[Kind, list[Record]] = defaultdict(list)
        for record in uncounted:
            of_kinds[record[0]].append(record)
        for kind, records in of_kinds.items():
            self._count_kind(kind, records)

    def _count_kind(self, kind: Kind, records: Sequence[Record]) -> None:
        _, _, _, seconds, _, usages, saved, attempts, costs = zip(*records, strict=True)
        series = self._series[_labels(kind)]
        series.add_durations(seconds)
        if kind.is_last_resort:
            self._last_resorts += len(records)
        if kind.fallback or max(map(len, attempts)) > 1:
            for each in attempts:
                self._fallbacks.observe(each, kind.fallback)
        if kind.cache != "none":
            series.saved_micro_usd += sum(saved)
            return
        series.add_usage(usages)
        series.cost_micro_usd += sum(filter(None, costs))
        if kind.provider and kind.provider != LAST_RESORT:
            self._unpriced += costs.count(None)

    def collect(self) -> Iterable[Metric]:
        """Called by the registry for each scrape."""
        self._count()
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
        yield from self._fallbacks.collect()

    def _durations(self) -> HistogramMetricFamily:
        family = HistogramMetricFamily("tollway_call_seconds", "Request to last byte", labels=("dialect",))
        for dialect, all_series in self._grouped(1).items():
            within = map(sum, zip(*(series.within for series in all_series), strict=True))
            buckets = [(str(limit), calls) for limit, calls in zip(_SECONDS, within, strict=True)]
            buckets.append(("+Inf", sum(series.calls for series in all_series)))
            family.add_metric((dialect,), buckets, sum(series.seconds for series in all_series))
        return family

    def _grouped(self, label: int) -> dict[str, list[_Series]]:
        groups: dict[str, list[_Series]] = {}
        for labels, series in self._series.items():
            groups.setdefault(str(labels[label]), []).append(series)
        return groups
