"""Turns as dialects take them in which two sides take turns: neighbours of one side joined, tool results first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_dialects.translation.form.parts import ToolResult
from tollway_dialects.translation.form.request import Role, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable


def joined_turns(turns: Iterable[Turn]) -> list[Turn]:
    """Join neighbours of one side: parallel tool results must come back in one turn, before any text."""
    joined: list[Turn] = []
    for turn in turns:
        if joined and joined[-1].role is turn.role is not Role.SYSTEM and joined[-1].name == turn.name:
            joined[-1] = Turn(turn.role, (*joined[-1].parts, *turn.parts), turn.name)
        else:
            joined.append(turn)
    return [_results_first(turn) if turn.role is Role.USER else turn for turn in joined]


def _results_first(turn: Turn) -> Turn:
    ordered = sorted(turn.parts, key=lambda part: not isinstance(part, ToolResult))  # sorting keeps equals in order
    return msgspec.structs.replace(turn, parts=tuple(ordered))
