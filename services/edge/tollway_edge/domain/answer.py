"""An answer as provider-dispatch gives it and as the cache keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tollway_dialects.usage import Usage

    from tollway_edge.domain.call import Headers


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """What is known once a provider has answered with a status."""

    status: int
    headers: Headers
    provider: str
    model: str
    body_changes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class AnswerEnd:
    """How an answer ended."""

    is_complete: bool
    reason: str = ""
    stop_reason: str = ""


@dataclass(frozen=True, slots=True)
class AnswerFailure:
    """No provider gave an answer that could be passed on."""

    reason: str
    message: str
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class AnswerPiece:
    """Part of an answer: the first has head or failure, the last end; a whole answer is one piece with all."""

    head: AnswerHead | None = None
    data: bytes = b""
    usage: Usage | None = None
    end: AnswerEnd | None = None
    failure: AnswerFailure | None = None
    attempts: Sequence[object] = ()


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An earlier answer, in the form in which it was first given."""

    body: bytes
    provider: str
    model: str
    tier: str
    usage: Usage
    cost_micro_usd: int
    layer: str
    """exact or semantic"""
    is_event_stream: bool = False


@dataclass(frozen=True, slots=True)
class TierChoice:
    """What the classifier decided."""

    tier: str
    layer: str
    """heuristic, embedding or haiku"""
