"""Metrics of links for Prometheus: read off the links when somebody asks, so that calls pay nothing for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client import Metric
    from tollway_servicekit.link.peers import Links

_GAUGES: dict[str, tuple[str, Callable[[Links], int]]] = {
    "tollway_links_open": ("Links that calls may be started on", lambda links: links.open),
    "tollway_link_calls_in_flight": ("Calls that have not ended", lambda links: links.in_flight),
}
_COUNTERS: dict[str, tuple[str, Callable[[Links], int]]] = {
    "tollway_link_calls": ("Calls that were started on links", lambda links: links.tally.calls),
    "tollway_link_large_calls": (
        "Calls with a large request, which waits for no others",
        lambda links: links.tally.large,
    ),
    "tollway_link_frames_sent": ("Frames sent on links", lambda links: links.tally.frames),
    "tollway_link_messages_sent": ("Messages that the frames left in", lambda links: links.tally.messages),
    "tollway_links_opened": ("Links that were opened", lambda links: links.tally.opened),
    "tollway_links_broken": ("Links that ended though nobody meant them to", lambda links: links.tally.breaks),
}


class LinkCollector(Collector):
    """One series of each metric for each service that is called over links."""

    def __init__(self, links: Mapping[str, Links]) -> None:
        self._links = links

    def collect(self) -> Iterator[Metric]:
        if not self._links:
            return
        for name, (text, value) in _GAUGES.items():
            yield self._filled(GaugeMetricFamily(name, text, labels=["service"]), value)
        for name, (text, value) in _COUNTERS.items():
            yield self._filled(CounterMetricFamily(name, text, labels=["service"]), value)

    def _filled(
        self, family: GaugeMetricFamily | CounterMetricFamily, value: Callable[[Links], int]
    ) -> GaugeMetricFamily | CounterMetricFamily:
        for service, links in self._links.items():
            family.add_metric([service], value(links))
        return family
