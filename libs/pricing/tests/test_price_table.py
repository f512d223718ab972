"""The sum, band edges, effective dates, dated ids."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tollway_dialects.usage import Usage
from tollway_pricing import SIMULATOR_PROVIDER, PriceRow, PriceTable

tokens = st.integers(0, 10_000_000)
prices = st.integers(0, 100_000_000)
usages = st.builds(Usage, tokens, tokens, tokens, tokens, tokens)


def row(
    model: str = "m", since: int = 0, above: int = 0, prices: tuple[int, int, int, int, int] = (1, 2, 3, 4, 5)
) -> PriceRow:
    return PriceRow(model, since, above, *prices)


@given(usages, st.tuples(prices, prices, prices, prices, prices))
def test_the_cost_is_the_exact_sum_rounded_half_up_once(usage: Usage, rates: tuple[int, int, int, int, int]) -> None:
    parts = (
        usage.uncached_input,
        usage.cache_write_short,
        usage.cache_write_long,
        usage.cache_read,
        usage.output,
    )
    exact = sum(Fraction(count * rate, 1_000_000) for count, rate in zip(parts, rates, strict=True))
    cost = PriceTable([row(prices=rates)]).cost("m", usage, 0)
    assert cost is not None
    assert Fraction(-1, 2) < cost - exact <= Fraction(1, 2)


@given(usages, usages)
def test_rounding_never_moves_a_sum_by_more_than_a_micro_dollar(one: Usage, other: Usage) -> None:
    table = PriceTable([row(prices=(123_457, 6_250_001, 999_999, 75_000, 1))])
    both = Usage(*(getattr(one, name) + getattr(other, name) for name in Usage.__struct_fields__[:6]))
    costs = [table.cost("m", usage, 0) or 0 for usage in (one, other, both)]
    assert abs(costs[0] + costs[1] - costs[2]) <= 1


@pytest.mark.parametrize(("count", "cost"), [(0, 0), (1, 0), (2, 1), (3, 1), (5, 1), (6, 2)])
def test_half_a_micro_dollar_rounds_up(count: int, cost: int) -> None:
    quarter = row(prices=(250_000, 0, 0, 0, 0))  # a quarter of a micro-dollar a token
    assert PriceTable([quarter]).cost("m", Usage(uncached_input=count), 0) == cost


@given(st.integers(1, 1_000_000), st.integers(-3, 3), st.integers(0, 3))
def test_the_band_is_chosen_by_the_whole_input_and_begins_one_token_above_its_limit(
    limit: int, offset: int, part: int
) -> None:
    names = ("uncached_input", "cache_write_short", "cache_write_long", "cache_read")
    usage = Usage(**{names[part]: max(0, limit + offset)}, output=1)
    table = PriceTable([row(prices=(0, 0, 0, 0, 10**6)), row(above=limit, prices=(0, 0, 0, 0, 2 * 10**6))])
    assert table.cost("m", usage, 0) == (2 if usage.input > limit else 1)


def test_output_never_lifts_a_call_into_a_longer_band() -> None:
    table = PriceTable([row(prices=(0, 0, 0, 0, 1)), row(above=100, prices=(0, 0, 0, 0, 10**6))])
    assert table.cost("m", Usage(uncached_input=100, output=500), 0) == 0


@given(st.lists(st.integers(0, 1000), min_size=1, unique=True), st.integers(0, 1100), st.randoms())
def test_the_latest_row_that_has_begun_holds_whatever_the_order_of_the_rows(
    dates: list[int], moment: int, random: object
) -> None:
    rows = [row(since=date, prices=(date * 10**6, 0, 0, 0, 0)) for date in dates]
    random.shuffle(rows)  # type: ignore[attr-defined]
    begun = [date for date in dates if date <= moment]
    expected = max(begun) if begun else None
    assert PriceTable(rows).cost("m", Usage(uncached_input=1), moment) == expected


def test_a_band_keeps_its_prices_until_a_later_row_of_that_band() -> None:
    rows = [row(prices=(1, 0, 0, 0, 0)), row(above=10, prices=(2 * 10**6, 0, 0, 0, 0)), row(since=5)]
    assert PriceTable(rows).cost("m", Usage(uncached_input=11), 9) == 22


@pytest.mark.parametrize("model", ["claude-haiku-4-5-20251001", "claude-haiku-4-5-2025-10-01", "claude-haiku-4-5"])
def test_a_dated_id_costs_what_the_plain_id_costs(model: str) -> None:
    assert PriceTable([row("claude-haiku-4-5", prices=(10**6, 0, 0, 0, 0))]).cost(model, Usage(7), 0) == 7


def test_a_dated_id_with_a_row_of_its_own_uses_it() -> None:
    table = PriceTable([row("m", prices=(10**6, 0, 0, 0, 0)), row("m-20251001", prices=(2 * 10**6, 0, 0, 0, 0))])
    assert table.cost("m-20251001", Usage(1), 0) == 2


@pytest.mark.parametrize("model", ["", "m2", "m-2025", "m-20251001-x", "m-99999999", "20251001"])
def test_an_unknown_model_has_no_price(model: str) -> None:
    assert PriceTable([row("m")]).cost(model, Usage(1), 0) is None


def test_the_simulator_costs_nothing_whatever_the_model() -> None:
    table = PriceTable([row(prices=(10**6, 0, 0, 0, 0))])
    assert table.cost("m", Usage(5), 0, provider=SIMULATOR_PROVIDER) == 0
    assert table.cost("unheard-of", Usage(5), 0, provider=SIMULATOR_PROVIDER) == 0
    assert table.cost("m", Usage(5), 0, provider="anthropic") == 5


def test_a_row_of_certain_hours_comes_before_one_without_even_a_later_one() -> None:
    at_nine = PriceRow("m", 0, 0, 2 * 10**6, 0, 0, 0, 0, weekday_hours=1 << 9)
    table = PriceTable([at_nine, row(since=5, prices=(10**6, 0, 0, 0, 0))])
    thursday_at_nine = 9 * 3_600_000  # of 1970-01-01
    assert table.cost("m", Usage(1), thursday_at_nine) == 2
    assert table.cost("m", Usage(1), thursday_at_nine - 1) == 1
    assert table.cost("m", Usage(1), thursday_at_nine + 2 * 24 * 3_600_000) == 1
