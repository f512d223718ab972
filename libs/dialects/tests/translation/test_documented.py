"""docs/translation.md says what the code does: the table of what is dropped and refused, and the fields beside it."""

from __future__ import annotations

import re
from pathlib import Path

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.features import Feature
from tollway_dialects.translation.limits import DROPS, REFUSES
from tollway_dialects.translation.wire.openai_fields import SHARED

PAPER = (Path(__file__).parents[4] / "docs" / "translation.md").read_text()
COLUMNS = (Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT, Dialect.OPENAI_RESPONSES, Dialect.GEMINI)


def fate(feature: Feature, target: Dialect) -> str:
    if feature in DROPS[target]:
        return "dropped"
    return "refused" if feature in REFUSES[target] else ""


def test_the_table_has_each_feature_and_what_each_target_does_with_it() -> None:
    section = PAPER.partition("## What is dropped, and what is refused")[2].partition("Beyond the table")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    assert rows[2:] == [[feature.value, *(fate(feature, target) for target in COLUMNS)] for feature in Feature]


def test_the_fields_that_openais_dialects_share_are_named() -> None:
    line = next(line for line in PAPER.splitlines() if line.startswith("- Fields that chat and Responses share"))
    assert set(re.findall(r"`(\w+)`", line)) == {*SHARED, "verbosity"}
