"""What metering pushes is in force as it was sent."""

from __future__ import annotations

from dataclasses import asdict

from tollway.metering.v1 import metering_pb2
from tollway_dialects.usage import Usage
from tollway_edge.adapters.workspace_watch import _take
from tollway_edge.domain.workspaces import Workspaces
from tollway_pricing import PriceTable, load_prices

# a Friday's peak of DeepSeek, and a Saturday
MOMENTS = (1_795_165_200_000, 1_795_251_600_000)


def test_prices_that_were_pushed_cost_what_metering_books() -> None:
    rows = load_prices()
    known = Workspaces()
    _take(metering_pb2.WatchWorkspacesResponse(prices=[metering_pb2.PriceRow(**asdict(row)) for row in rows]), known)
    usage = Usage(uncached_input=300_001, cache_write_short=7_000, cache_write_long=9_000, cache_read=5_000, output=400)
    costs = {(row.model, moment): known.prices.cost(row.model, usage, moment) for row in rows for moment in MOMENTS}
    assert costs == {(model, moment): PriceTable(rows).cost(model, usage, moment) for model, moment in costs}
    assert costs["deepseek-flash", MOMENTS[0]] == 2 * costs["deepseek-flash", MOMENTS[1]]
