"""Headers and errors of OpenAI's API; for everything under it that is served."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.domain.error_names import OPENAI_ERRORS
from tollway_simulator.entrypoints.dialect import ErrorAnswer
from tollway_simulator.entrypoints.keys import key_in

if TYPE_CHECKING:
    from tollway_simulator.domain.faces import Face
    from tollway_simulator.domain.refusal import Refusal
    from tollway_simulator.entrypoints.connection.exchange import Exchange

ORGANIZATION = "org-simulator"
VERSION = "2020-10-01"
REQUESTS_PER_MINUTE = 10_000

# status: (type, code)
ERRORS: dict[int, tuple[str, str | None]] = {
    401: ("invalid_request_error", "invalid_api_key"),
    402: ("insufficient_quota", "insufficient_quota"),
    403: ("permission_error", None),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}
# name: (type, code), where the code is not the name or the type is not what the status says
NAMED: dict[str, tuple[str, str | None]] = {
    "insufficient_quota": ("insufficient_quota", "insufficient_quota"),
    "rate_limit_exceeded": ("requests", "rate_limit_exceeded"),
    "server_error": ("server_error", None),
    "not_found": ("invalid_request_error", None),
    "service_unavailable": ("service_unavailable_error", "service_unavailable"),
}
WORDS = {
    "context_length_exceeded": (
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 141312 tokens. "
        "Please reduce the length of the messages."
    ),
    "content_policy_violation": "Your request was rejected as a result of our safety system. Reason: {reason}",
}


def _limits(remaining: int) -> bytes:
    lines = [f"openai-organization: {ORGANIZATION}\r\nopenai-version: {VERSION}\r\n"]
    for kind, share, reset in (("requests", 1, "6ms"), ("tokens", 1000, "60ms")):
        lines += [
            f"x-ratelimit-limit-{kind}: {REQUESTS_PER_MINUTE * share}\r\n",
            f"x-ratelimit-remaining-{kind}: {remaining * share}\r\n",
            f"x-ratelimit-reset-{kind}: {reset if remaining else '30s'}\r\n",
        ]
    return "".join(lines).encode()


_LIMITS = _limits(REQUESTS_PER_MINUTE - 1)


class OpenAI:
    """Implements `Provider`."""

    name: Face = "openai"
    shape = "openai"
    default_failure = 500

    def read_key(self, exchange: Exchange) -> bytes:
        return key_in(exchange)

    def check_headers(self, exchange: Exchange) -> None:
        """Nothing but the key is demanded."""

    def head_lines(self, request_id: str, received_at: float, remaining: int | None = None) -> bytes:
        limits = _LIMITS if remaining is None else _limits(remaining)
        took = max(0, int((time.time() - received_at) * 1000))
        return b"x-request-id: %b\r\nopenai-processing-ms: %d\r\n%b" % (request_id.encode(), took, limits)

    def render_error(self, refusal: Refusal, request_id: str) -> ErrorAnswer:
        return ErrorAnswer(refusal.status, msgspec.json.encode({"error": error_object(refusal)}))


def error_object(refusal: Refusal) -> dict[str, Any]:
    default = "server_error" if refusal.status >= 500 else "invalid_request_error"
    if refusal.name in NAMED:
        kind, code = NAMED[refusal.name]
    elif refusal.name in OPENAI_ERRORS:
        kind, code = "invalid_request_error", refusal.name
    else:
        kind, code = ERRORS.get(refusal.status, (default, None))
    return {"message": refusal.worded(WORDS), "type": kind, "param": refusal.param, "code": refusal.code or code}
