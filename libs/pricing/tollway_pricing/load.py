"""Reads prices.yaml of this package into price rows, exactly; called once at start by their owner, metering."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from importlib import resources
from typing import Annotated

import msgspec
import yaml

from tollway_pricing.table import PriceRow

_MICRO = 1_000_000


class _Row(msgspec.Struct, forbid_unknown_fields=True, rename={"since": "from"}):
    model: str
    input: str
    cache_write_short: str
    cache_write_long: str
    cache_read: str
    output: str
    since: str = ""
    above_input_tokens: int = 0
    weekday_hours: list[Annotated[int, msgspec.Meta(ge=0, le=23)]] = []


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    as_of: str
    rows: list[_Row]


def load_prices() -> list[PriceRow]:
    """Return every row that ships with Tollway."""
    return parse_prices(resources.files("tollway_pricing").joinpath("prices.yaml").read_text("utf-8"))


def parse_prices(text: str) -> list[PriceRow]:
    """
    Return the rows of a price file.

    Raises:
        ValueError: A row is incomplete, twice there, or not exact to the micro-dollar; the message names it.
    """
    document = msgspec.convert(yaml.safe_load(text), _Document)
    rows = [_to_price_row(row) for row in document.rows]
    seen: set[tuple[str, int, int, int]] = set()
    for row in rows:
        key = (row.model, row.from_unix_ms, row.above_input_tokens, row.weekday_hours)
        if key in seen:
            raise ValueError(f"prices of {row.model} stand twice for one date, band and hours")
        seen.add(key)
    return rows


def _to_price_row(row: _Row) -> PriceRow:
    return PriceRow(
        model=row.model,
        from_unix_ms=_unix_ms(row.since) if row.since else 0,
        above_input_tokens=row.above_input_tokens,
        input=_micro_usd(row, row.input),
        cache_write_short=_micro_usd(row, row.cache_write_short),
        cache_write_long=_micro_usd(row, row.cache_write_long),
        cache_read=_micro_usd(row, row.cache_read),
        output=_micro_usd(row, row.output),
        weekday_hours=sum(1 << hour for hour in set(row.weekday_hours)),
    )


def _unix_ms(date: str) -> int:
    return int(datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) * 1000


def _micro_usd(row: _Row, text: str) -> int:
    try:
        micro = Decimal(text) * _MICRO
        if micro < 0 or micro != int(micro):
            raise ValueError
    except (InvalidOperation, OverflowError, ValueError):
        raise ValueError(f"{row.model}: {text!r} is no price in US$ with at most six decimals") from None
    return int(micro)
