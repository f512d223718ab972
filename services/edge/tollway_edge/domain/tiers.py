"""Which models a requested name stands for: itself, or a tier's list from config.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MIDDLE_TIER = "standard"


@dataclass(frozen=True, slots=True)
class Tier:
    """One row of the table."""

    name: str
    aliases: tuple[str, ...]
    named: tuple[str, ...]
    """Models when the client asked for the tier."""
    classified: tuple[str, ...]
    """Models when `auto` chose it."""


AUTO = Tier("auto", (), (), ())
"""Asked for by who leaves the choice to the classifier; a tier without models of its own."""


class Tiers:
    """The table, looked up by any name that is accepted in `model`."""

    def __init__(self, tiers: Sequence[Tier]) -> None:
        self._by_name: Mapping[str, Tier] = {
            name.lower(): tier for tier in (AUTO, *tiers, AUTO) for name in (tier.name, *tier.aliases)
        }

    @property
    def names(self) -> list[str]:
        return list(self._by_name)

    def find(self, name: str) -> Tier | None:
        """Return the tier that a name stands for, `AUTO` among them; None where it is a model's."""
        return self._by_name.get(name.lower())

    def classified(self, name: str) -> Tier:
        """Return the tier that `auto` chose, or the middle one where the table lacks it."""
        return self._by_name.get(name) or self._by_name[MIDDLE_TIER]
