"""Token counts of one call, normalised over all providers; read from answers here, priced and booked elsewhere."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """
    What one call used, in tokens.

    The four input parts never overlap, so the whole input is their sum. `output` includes thinking, of which
    `reasoning` is the share. `is_estimated` says that the provider did not tell and we counted.
    """

    uncached_input: int = 0
    cache_write_short: int = 0
    cache_write_long: int = 0
    cache_read: int = 0
    output: int = 0
    reasoning: int = 0
    is_estimated: bool = False

    @property
    def input(self) -> int:
        return self.uncached_input + self.cache_write_short + self.cache_write_long + self.cache_read

    @property
    def total(self) -> int:
        return self.input + self.output
