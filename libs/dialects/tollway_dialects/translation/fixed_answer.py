"""A text that no model said, as an answer in any dialect; edge gives it where nobody could answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.translation.answers import ENCODERS
from tollway_dialects.translation.encoder import Ending
from tollway_dialects.translation.form.deltas import PartEnded, PartStarted, Stop
from tollway_dialects.translation.form.parts import Text
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES

if TYPE_CHECKING:
    from tollway_dialects.dialect import Dialect
    from tollway_dialects.translation.encoder import AnswerContext

CAN_SAY = frozenset(ENCODERS)
"""Dialects whose answers are texts."""
_PART = "text"


def fixed_answer(dialect: Dialect, context: AnswerContext, text: str, *, is_stream: bool) -> bytes:
    """Return a whole answer that used no tokens, as JSON or as events; `context` names model and request."""
    encoder, usage = ENCODERS[dialect](context), Usage()
    events = b"".join(
        (
            encoder.start(context.request_id, context.model, usage),
            encoder.part(PartStarted(_PART, Text(text))),
            encoder.part(PartEnded(_PART)),
            encoder.end(Ending(Stop.END), usage),
        )
    )
    return events if is_stream else WIRES[dialect].from_events(events, usage)
