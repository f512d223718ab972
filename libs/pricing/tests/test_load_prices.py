"""The file that ships, and what the loader refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tollway_dialects.usage import Usage
from tollway_pricing import PriceTable, load_prices
from tollway_pricing.load import parse_prices

ROW = 'model: m, input: "{}", cache_write_short: "0", cache_write_long: "0", cache_read: "0", output: "0"'


def document(*rows: str) -> str:
    return 'as_of: "2026-11-21"\nrows:\n' + "".join(f"  - {{{row}}}\n" for row in rows)


def unix_ms(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000


@pytest.fixture(scope="module")
def table() -> PriceTable:
    return PriceTable(load_prices())


def test_every_shipped_row_has_sane_prices() -> None:
    rows = load_prices()
    assert len({row.model for row in rows}) > 20
    for row in rows:
        assert 0 < row.cache_read <= row.input <= row.cache_write_short <= row.cache_write_long
        assert row.input < row.output or row.model.startswith("text-embedding-")


def test_a_million_tokens_cost_what_the_price_page_says(table: PriceTable) -> None:
    million = 1_000_000
    now = unix_ms(2026, 11, 21)
    assert table.cost("claude-haiku-4-5-20251001", Usage(uncached_input=million, output=million), now) == 6_000_000
    assert table.cost("claude-opus-5-5", Usage(cache_write_long=million, cache_read=million), now) == 8_200_000
    assert table.cost("gpt-5.4-mini", Usage(cache_read=million), now) == 75_000
    assert table.cost("gemini-2.5-pro", Usage(uncached_input=million, output=million), now) == 17_500_000
    assert table.cost("gemini-4-argon", Usage(cache_read=million, output=million), now) == 10_100_000


def test_a_price_changes_on_its_day_and_not_before(table: PriceTable) -> None:
    day = unix_ms(2026, 10, 7)
    usage = Usage(cache_read=1_000_000)
    assert [table.cost("claude-sonnet-5-5", usage, moment) for moment in (day - 1, day)] == [200_000, 100_000]
    assert [table.cost("claude-haiku-5-5", usage, moment) for moment in (day - 1, day)] == [None, 50_000]


@pytest.mark.parametrize(
    ("moment", "cost"),
    [
        (datetime(2026, 11, 20, 0, 59, 59, tzinfo=UTC), 750_000),  # a Friday
        (datetime(2026, 11, 20, 1, tzinfo=UTC), 1_500_000),
        (datetime(2026, 11, 20, 4, tzinfo=UTC), 750_000),
        (datetime(2026, 11, 20, 9, 59, 59, tzinfo=UTC), 1_500_000),
        (datetime(2026, 11, 20, 10, tzinfo=UTC), 750_000),
        (datetime(2026, 11, 21, 9, tzinfo=UTC), 750_000),
        (datetime(2026, 11, 22, 9, tzinfo=UTC), 750_000),
        (datetime(2026, 11, 23, 9, tzinfo=UTC), 1_500_000),
        (datetime(2026, 9, 9, 9, tzinfo=UTC), None),
    ],
)
def test_deepseek_costs_more_at_its_peak_on_weekdays(table: PriceTable, moment: datetime, cost: int | None) -> None:
    usage = Usage(uncached_input=1_000_000, output=1_000_000)
    assert table.cost("deepseek-flash", usage, int(moment.timestamp() * 1000)) == cost


def test_a_long_prompt_is_charged_whole_at_the_long_rate(table: PriceTable) -> None:
    now = unix_ms(2026, 11, 21)
    assert table.cost("claude-haiku-5-5", Usage(uncached_input=50_000, cache_read=50_000), now) == 5_500
    assert table.cost("claude-haiku-5-5", Usage(uncached_input=50_001, cache_read=50_000), now) == 27_501


@given(st.integers(0, 10**12))
def test_a_price_with_six_decimals_is_read_exactly(micro: int) -> None:
    text = f"{Decimal(micro) / 1_000_000:f}"
    assert parse_prices(document(ROW.format(text)))[0].input == micro


@pytest.mark.parametrize("text", ["0.0000001", "-1", "abc", "", "NaN", "Infinity", "1,5"])
def test_a_price_that_is_not_exact_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"m: .* is no price"):
        parse_prices(document(ROW.format(text)))


def test_a_price_written_as_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected `str`, got `float`"):
        parse_prices(document(ROW.format("1").replace('"1"', "1.5")))


@pytest.mark.parametrize("hours", ["[24]", "[-1]", "1", "[one]"])
def test_hours_that_no_day_has_are_refused(hours: str) -> None:
    with pytest.raises(ValueError, match="weekday_hours"):
        parse_prices(document(ROW.format("1") + f", weekday_hours: {hours}"))


def test_the_same_row_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        parse_prices(document(ROW.format("1"), ROW.format("2")))
