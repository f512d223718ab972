"""Made-up probabilities of an answer's pieces, in OpenAI's shape; used by chat completions and responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_LIKELY = -0.125
_STEP = -1.5


def logprobs_of(pieces: Sequence[str], top: int) -> list[dict[str, Any]]:
    """Return one entry for each piece: itself as the likeliest token, then itself in other spellings."""
    return [{**_token(piece, 0), "top_logprobs": [_token(piece, rank) for rank in range(top)]} for piece in pieces]


def _token(piece: str, rank: int) -> dict[str, Any]:
    token = piece + "'" * rank
    encoded = list(token.encode("utf-8", "surrogatepass"))
    return {"token": token, "logprob": _MOST_LIKELY + rank * _STEP, "bytes": encoded}
