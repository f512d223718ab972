"""Headers and errors of OpenRouter's API; for everything under it that is served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.entrypoints.dialect import ErrorAnswer
from tollway_simulator.entrypoints.keys import key_in

if TYPE_CHECKING:
    from tollway_simulator.domain.faces import Face
    from tollway_simulator.domain.refusal import Refusal
    from tollway_simulator.entrypoints.connection.exchange import Exchange

UPSTREAM = "Simulator"
"""The provider that is said to have served."""
REQUESTS_PER_MINUTE = 20

ERROR_TYPES = {
    400: "invalid_request",
    402: "payment_required",
    408: "timeout",
    413: "invalid_request",
    422: "invalid_request",
    429: "rate_limit_exceeded",
    500: "server",
    502: "provider_unavailable",
    503: "provider_overloaded",
    504: "timeout",
    529: "provider_overloaded",
}
NAMED = {"context_length_exceeded", "content_policy_violation", "rate_limit_exceeded"}
WORDS = {
    "context_length_exceeded": (
        "This endpoint's maximum context length is 128000 tokens. However, you requested about 141312 tokens "
        "(137216 of text input, 4096 in the output). Please reduce the length of either one."
    ),
    "content_policy_violation": "The request was refused by a content policy: {reason}",
    "no_key": "No cookie auth credentials found",
}


class OpenRouter:
    """Implements `Provider`."""

    name: Face = "openrouter"
    shape = "openai"
    default_failure = 502

    def read_key(self, exchange: Exchange) -> bytes:
        return key_in(exchange)

    def check_headers(self, exchange: Exchange) -> None:
        """Nothing but the key is demanded."""

    def head_lines(self, request_id: str, received_at: float, remaining: int | None = None) -> bytes:
        lines = b"x-generation-id: %b\r\n" % request_id.replace("req_", "gen-").encode()
        if remaining is None:
            return lines
        reset = int(received_at * 1000) + 60_000
        limits = f"x-ratelimit-limit: {REQUESTS_PER_MINUTE}\r\nx-ratelimit-remaining: {remaining}\r\n"
        return lines + f"{limits}x-ratelimit-reset: {reset}\r\n".encode()

    def render_error(self, refusal: Refusal, request_id: str) -> ErrorAnswer:
        error = {"code": refusal.status, "message": refusal.worded(WORDS), "metadata": metadata_of(refusal)}
        return ErrorAnswer(refusal.status, msgspec.json.encode({"error": error}))


def metadata_of(refusal: Refusal) -> dict[str, Any]:
    metadata: dict[str, Any] = {"error_type": error_type(refusal), "provider_name": UPSTREAM}
    if refusal.code:
        metadata["provider_code"] = refusal.code
    if refusal.reason:
        metadata["reason"] = refusal.reason
    return metadata


def error_type(refusal: Refusal) -> str:
    if refusal.name in NAMED:
        return str(refusal.name)
    return ERROR_TYPES.get(refusal.status, "unmapped")
