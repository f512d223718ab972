"""Keys and errors of Google's API; for everything under it that is served."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec

from tollway_simulator.domain.script import NO_RETRY_AFTER
from tollway_simulator.entrypoints.dialect import ErrorAnswer
from tollway_simulator.entrypoints.keys import key_in

if TYPE_CHECKING:
    from tollway_simulator.domain.faces import Face
    from tollway_simulator.domain.refusal import Refusal
    from tollway_simulator.entrypoints.connection.exchange import Exchange

SERVICE = "generativelanguage.googleapis.com"
RETRY_SECONDS = "2"

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
# name: the status that Google gives it, where that is another
OTHERS = {"invalid_api_key": 400, "authentication_error": 400, "no_key": 403}
WORDS = {
    "invalid_api_key": "API key not valid. Please pass a valid API key.",
    "authentication_error": "API key not valid. Please pass a valid API key.",
    "no_key": (
        "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API consumer identity to call this API."
    ),
    "context_length_exceeded": (
        "The input token count (1212416) exceeds the maximum number of tokens allowed (1048576)."
    ),
    "content_policy_violation": "The request was blocked by a content policy: {reason}",
}

_TYPE = "type.googleapis.com/google.rpc."
_SECONDS = re.compile(r"\d+(\.\d+)?")


class Google:
    """Implements `Provider`; an answer that would be a list of chunks has its error in a list, too."""

    name: Face = "google"
    shape = "google"
    default_failure = 503

    def __init__(self, *, is_list: bool = False) -> None:
        self._is_list = is_list

    def read_key(self, exchange: Exchange) -> bytes:
        given = parse_qs(exchange.query).get(b"key", [b""])[0]
        return key_in(exchange, b"x-goog-api-key") or given

    def check_headers(self, exchange: Exchange) -> None:
        """Nothing but the key is demanded."""

    def head_lines(self, request_id: str, received_at: float, remaining: int | None = None) -> bytes:
        return b"server-timing: gfet4t7; dur=1\r\nx-content-type-options: nosniff\r\n"

    def render_error(self, refusal: Refusal, request_id: str) -> ErrorAnswer:
        error: Any = {"error": error_object(refusal)}
        body = msgspec.json.encode([error] if self._is_list else error)
        return ErrorAnswer(_status(refusal), body, says_when=False)


def _status(refusal: Refusal) -> int:
    return OTHERS.get(refusal.name or "", refusal.status)


def error_object(refusal: Refusal) -> dict[str, Any]:
    status = _status(refusal)
    error = {"code": status, "message": refusal.worded(WORDS), "status": STATUSES.get(status, "UNKNOWN")}
    details = _details(refusal, status)
    return {**error, "details": details} if details else error


def _details(refusal: Refusal, status: int) -> list[dict[str, Any]]:
    if status == 400 and refusal.name in ("invalid_api_key", "authentication_error"):
        return [_info("API_KEY_INVALID", {"service": SERVICE})]
    if refusal.name == "content_policy_violation":
        return [_info("CONTENT_POLICY_VIOLATION", {"reason": refusal.reason or "unspecified"})]
    if status == 429:
        return _quota(refusal)
    if refusal.code:
        return [_info(refusal.code.upper(), {"service": SERVICE})]
    if refusal.param:
        violation = {"field": refusal.param, "description": refusal.message}
        return [{"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]}]
    return []


def _info(reason: str, metadata: dict[str, str]) -> dict[str, Any]:
    return {"@type": f"{_TYPE}ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": metadata}


def _quota(refusal: Refusal) -> list[dict[str, Any]]:
    violation = {
        "quotaMetric": f"{SERVICE}/generate_content_requests",
        "quotaId": "GenerateRequestsPerMinutePerProjectPerModel",
    }
    details: list[dict[str, Any]] = [{"@type": f"{_TYPE}QuotaFailure", "violations": [violation]}]
    after = refusal.retry_after or RETRY_SECONDS
    if after != NO_RETRY_AFTER and _SECONDS.fullmatch(after):
        details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{after}s"})
    return details
