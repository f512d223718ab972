"""An answer as provider-dispatch gives it and as the cache keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tollway_dialects.usage import Usage

    from tollway_edge.domain.forwarded import Forwarded


class AnswerHead(msgspec.Struct, frozen=True):
    """What is known once a provider has answered with a status."""

    status: int
    header_lines: bytes
    """The provider's, for the client: sound lines, and none of them named x-gateway-*."""
    provider: str
    model: str
    body_changes: Sequence[str] = ()
    fallback: str = ""
    """From whom, to whom and why; empty where the first choice answered."""
    dropped: Sequence[str] = ()
    """What of the request the provider's dialect could not say."""


class AnswerEnd(msgspec.Struct, frozen=True):
    """How an answer ended."""

    is_complete: bool
    reason: str = ""
    stop_reason: str = ""
    provider: str = ""
    """Who took the stream on, where it was not who began it; and the model."""
    model: str = ""


class AnswerFailure(msgspec.Struct, frozen=True):
    """No provider gave an answer that could be passed on."""

    reason: str
    message: str
    retry_after: float | None
    provider: str = ""
    """The last one that was tried, with which model."""
    model: str = ""


class AnswerPiece(msgspec.Struct, frozen=True):
    """Part of an answer: the first has head or failure, the last end; a whole answer is one piece with all."""

    head: AnswerHead | None = None
    data: bytes = b""
    usage: Usage | None = None
    end: AnswerEnd | None = None
    failure: AnswerFailure | None = None
    attempts: Sequence[object] = ()
    output_so_far: int = 0
    """Tokens counted in what was streamed, where `usage` is not told anew."""


class CachedAnswer(msgspec.Struct, frozen=True):
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


class KeptAnswerQuestion(msgspec.Struct, frozen=True):
    """A client's request about an answer that a provider keeps."""

    workspace: str
    method: str
    kept_id: str
    below: str
    """Path below the answer, e.g. input_items; empty for the answer itself."""
    query: str
    forwarded: Forwarded


class TierChoice(msgspec.Struct, frozen=True):
    """What the classifier decided."""

    tier: str
    layer: str
    """heuristic, embedding or haiku"""
