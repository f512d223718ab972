"""What crosses service borders as a message comes back as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some
from tollway_dialects.messages import DIALECT_NUMBERS, DIALECTS, usage_from, usage_to
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES

counts = some.integers(0, 2**62)


@given(some.builds(Usage, counts, counts, counts, counts, counts, counts, some.booleans()))
def test_every_count_of_a_usage_survives_the_way_through_a_message(usage: Usage) -> None:
    assert usage_from(usage_to(usage)) == usage


def test_every_dialect_has_a_number_and_every_number_its_dialect() -> None:
    assert set(DIALECT_NUMBERS) == set(WIRES)
    assert {DIALECTS[number] for number in DIALECT_NUMBERS.values()} == set(WIRES)
