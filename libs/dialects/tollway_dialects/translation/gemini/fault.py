"""Reads Gemini's errors, which may come inside a list of one."""

from __future__ import annotations

import re
from typing import Any

from tollway_dialects.translation.form.faults import Fault, FaultKind, kind_of_status

_STATUSES = {
    "INVALID_ARGUMENT": FaultKind.INVALID_REQUEST,
    "FAILED_PRECONDITION": FaultKind.INVALID_REQUEST,
    "UNAUTHENTICATED": FaultKind.UNAUTHENTICATED,
    "PERMISSION_DENIED": FaultKind.FORBIDDEN,
    "NOT_FOUND": FaultKind.NOT_FOUND,
    "RESOURCE_EXHAUSTED": FaultKind.RATE_LIMITED,
    "INTERNAL": FaultKind.SERVER,
    "UNAVAILABLE": FaultKind.OVERLOADED,
    "DEADLINE_EXCEEDED": FaultKind.TIMEOUT,
}
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_TOO_LONG = "exceeds the maximum number of tokens"


def fault_of(status: int, body: Any) -> Fault:
    """Return what an error says: an answer of this status, or a chunk (status 500)."""
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return Fault(kind_of_status(status), f"the provider answered {status}")
    message = str(error.get("message") or "")
    details = [detail for detail in error.get("details") or [] if isinstance(detail, dict)]
    kind = _STATUSES.get(str(error.get("status")), kind_of_status(status))
    if any(detail.get("reason") == "API_KEY_INVALID" for detail in details):
        kind = FaultKind.UNAUTHENTICATED  # a bad key comes as a 400
    elif kind is FaultKind.INVALID_REQUEST and _TOO_LONG in message:
        kind = FaultKind.CONTEXT_LENGTH
    return Fault(kind, message, retry_after=_retry_after(details))


def _retry_after(details: list[dict[str, Any]]) -> float | None:
    for detail in details:
        if found := _SECONDS.fullmatch(str(detail.get("retryDelay"))):
            return float(found[1])
    return None
