"""In which dialect a provider is asked: the client's where it speaks that, else one that it is translated to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Collection

# the dialects of conversations: what is asked in one of them can be asked in another one
TRANSLATED_FROM = frozenset({Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT, Dialect.OPENAI_RESPONSES})
# where a provider speaks several: the one that says most
TRANSLATED_TO = (Dialect.ANTHROPIC_MESSAGES, Dialect.GEMINI, Dialect.OPENAI_CHAT, Dialect.OPENAI_RESPONSES)


def dialect_for(asked: Dialect, spoken: Collection[Dialect]) -> Dialect | None:
    """Return what a provider that speaks these is asked in: the client's dialect, or one that it is translated to."""
    if asked in spoken:
        return asked
    if asked not in TRANSLATED_FROM:
        return None
    return next((dialect for dialect in TRANSLATED_TO if dialect in spoken), None)
