"""What finished calls cost and what of them counts towards a cap; `Metering` books by it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tollway_pricing import SIMULATOR_PROVIDER

from tollway_metering.domain.batch import ChargeColumns, PricedCalls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tollway_pricing import PriceTable

    from tollway_metering.domain.batch import AttemptColumns, CallColumns


def price(calls: CallColumns, prices: PriceTable, now_unix_ms: int) -> PricedCalls:
    """
    Return the calls with what they cost, which is nothing for answers from the cache: those were paid before.

    Attempts have a cost of their own, so that money lost on failed tries can be seen.
    """
    return PricedCalls(
        calls,
        _charges(calls, [None if kind.is_cache_hit else (kind.model, kind.provider) for kind in calls.kinds], prices),
        _charges(calls.attempts, [(kind.model, kind.provider) for kind in calls.attempts.kinds], prices),
        now_unix_ms,
        count_tokens(calls, range(len(calls))),
    )


def counted_tokens(priced: PricedCalls, places: Sequence[int]) -> Mapping[str, int]:
    """Return what the calls at these places, as a rule all of them, add to their workspaces' caps."""
    is_all = len(places) == len(priced.calls)
    return priced.counted_tokens if is_all else count_tokens(priced.calls, places)


def count_tokens(calls: CallColumns, places: Iterable[int]) -> Mapping[str, int]:
    """Return all tokens of the calls at these places by workspace, save for those of cache hits."""
    totals = calls.usage.totals()
    by_kind = [0] * len(calls.kinds)
    for place in places:
        by_kind[calls.kind_indexes[place]] += totals[place]
    by_workspace: dict[str, int] = defaultdict(int)
    for kind, tokens in zip(calls.kinds, by_kind, strict=True):
        by_workspace[kind.workspace] += 0 if kind.is_cache_hit else tokens
    return by_workspace


def _charges(
    columns: CallColumns | AttemptColumns, priced: Sequence[tuple[str, str] | None], prices: PriceTable
) -> ChargeColumns:
    """Return what each call or attempt costs; `priced` has model and provider of each kind, None where it is free."""
    micro_usd = [0] * len(columns.kind_indexes)
    is_unpriced = [False] * len(micro_usd)
    bought = [None if kind is None or kind[1] == SIMULATOR_PROVIDER else kind for kind in priced]
    if any(bought):
        for place, (index, usage) in enumerate(zip(columns.kind_indexes, columns.usage.rows(), strict=True)):
            kind = bought[index]
            if kind and usage.total:
                cost = prices.cost(kind[0], usage, columns.started_unix_ms[place], provider=kind[1])
                micro_usd[place] = cost or 0
                is_unpriced[place] = cost is None
    return ChargeColumns(micro_usd, is_unpriced)
