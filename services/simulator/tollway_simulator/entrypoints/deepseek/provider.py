"""Headers and errors of DeepSeek's API; for everything under it that is served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.entrypoints.dialect import ErrorAnswer
from tollway_simulator.entrypoints.keys import key_in

if TYPE_CHECKING:
    from tollway_simulator.domain.faces import Face
    from tollway_simulator.domain.refusal import Refusal
    from tollway_simulator.entrypoints.connection.exchange import Exchange

# status: (message in place of one that was asked for by its number, type, code)
ERRORS = {
    401: ("Authentication Fails", "authentication_error", "invalid_request_error"),
    402: ("Insufficient Balance", "unknown_error", "invalid_request_error"),
    429: ("Rate limit reached", "rate_limit_error", "rate_limit_exceeded"),
    500: ("", "server_error", None),
    503: ("Service is too busy", "service_unavailable_error", "service_unavailable_error"),
}
USUAL = ("", "invalid_request_error", "invalid_request_error")
WORDS = {
    "context_length_exceeded": (
        "This model's maximum context length is 1048576 tokens. However, you requested 1141312 tokens "
        "(1137216 in the messages, 4096 in the completion). Please reduce the length of the messages or completion."
    ),
    "content_policy_violation": "Content Exists Risk ({reason})",
}


class DeepSeek:
    """Implements `Provider`."""

    name: Face = "deepseek"
    shape = "openai"
    default_failure = 503

    def read_key(self, exchange: Exchange) -> bytes:
        return key_in(exchange)

    def check_headers(self, exchange: Exchange) -> None:
        """Nothing but the key is demanded."""

    def head_lines(self, request_id: str, received_at: float, remaining: int | None = None) -> bytes:
        return b""

    def render_error(self, refusal: Refusal, request_id: str) -> ErrorAnswer:
        return ErrorAnswer(refusal.status, msgspec.json.encode({"error": error_object(refusal)}))


def error_object(refusal: Refusal) -> dict[str, Any]:
    said, kind, code = ERRORS.get(refusal.status, USUAL if refusal.status < 500 else ERRORS[500])
    message = said or refusal.worded(WORDS)
    return {"message": message, "type": kind, "param": None, "code": refusal.code or code}
