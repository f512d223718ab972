"""Price rows and the sum over them, in integers throughout; `PriceTable.cost` is called for every finished call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tollway_dialects.usage import Usage

SIMULATOR_PROVIDER = "simulator"
"""The provider whose calls cost nothing."""

_MILLION = 1_000_000
_SATURDAY = 5
# claude-haiku-4-5-20251001, gpt-4.1-2025-04-14
_DATE_SUFFIX = re.compile(r"-20\d{2}(-?)[01]\d\1[0-3]\d$")


@dataclass(frozen=True, slots=True)
class PriceRow:
    """
    Prices of one model in one band of prompt length from one moment on, in micro-dollars per million tokens.

    A row holds until a later one of the same model, band and hours. With `above_input_tokens` 0 it is for every prompt.
    """

    model: str
    from_unix_ms: int
    above_input_tokens: int
    input: int
    cache_write_short: int
    cache_write_long: int
    cache_read: int
    output: int
    weekday_hours: int = 0
    """Bit n: it holds from Monday to Friday in hour n (UTC); 0: always."""

    def holds(self, at_unix_ms: int, input_tokens: int) -> bool:
        if self.from_unix_ms > at_unix_ms or (self.above_input_tokens and input_tokens <= self.above_input_tokens):
            return False
        if not self.weekday_hours:
            return True
        moment = datetime.fromtimestamp(at_unix_ms / 1000, UTC)
        return moment.weekday() < _SATURDAY and bool(self.weekday_hours >> moment.hour & 1)


class PriceTable:
    """Finds the row that holds for a call and sums it up. Never changes; replace the whole table instead."""

    def __init__(self, rows: Iterable[PriceRow]) -> None:
        self._by_model: dict[str, list[PriceRow]] = {}
        # highest band first, in it what holds in certain hours, then the latest: the first row that fits is the one
        order = sorted(rows, key=lambda row: (row.above_input_tokens, row.weekday_hours > 0, row.from_unix_ms))
        for row in reversed(order):
            self._by_model.setdefault(row.model, []).append(row)

    def cost(self, model: str, usage: Usage, at_unix_ms: int, provider: str = "") -> int | None:
        """
        Return what a call cost in micro-dollars, rounded half up once; None where the model has no price.

        Args:
            model: The model that answered; a dated id without rows of its own costs what the plain id costs.
            usage: What it used. The band is chosen by the whole input, cached parts counted.
            at_unix_ms: When the call started.
            provider: `SIMULATOR_PROVIDER` costs 0, whatever the model.
        """
        if provider == SIMULATOR_PROVIDER:
            return 0
        row = self._row(model, usage.input, at_unix_ms)
        if row is None:
            return None
        total = (
            usage.uncached_input * row.input
            + usage.cache_write_short * row.cache_write_short
            + usage.cache_write_long * row.cache_write_long
            + usage.cache_read * row.cache_read
            + usage.output * row.output
        )
        return (total + _MILLION // 2) // _MILLION

    def _row(self, model: str, input_tokens: int, at_unix_ms: int) -> PriceRow | None:
        rows = self._by_model.get(model) or self._by_model.get(_DATE_SUFFIX.sub("", model))
        return next((row for row in rows or () if row.holds(at_unix_ms, input_tokens)), None)
