"""Reads and writes Anthropic's errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.translation.form.faults import Fault, FaultKind, kind_of_status

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS = {kind.anthropic_type: kind for kind in reversed(FaultKind)}
# the spend limit of an organisation comes as a 400, a 402 or a 429
_SPENT = ("spend limit", "spend_limit", "credit balance")
_TOO_LONG = ("prompt is too long", "exceed context limit")


def fault_of(status: int, body: Any) -> Fault:
    """Return what an error says: an answer of this status, or an event (status 500)."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return Fault(kind_of_status(status), f"the provider answered {status}")
    message = str(error.get("message") or "")
    kind = _KINDS.get(str(error.get("type")), kind_of_status(status))
    return Fault(_refined(kind, message, _code(error)), message)


def fault_body(fault: Fault, request_id: str) -> bytes:
    error = {"type": fault.kind.anthropic_type, "message": fault.message}
    return msgspec.json.encode({"type": "error", "error": error, "request_id": request_id})


def _code(error: Mapping[str, Any]) -> str:
    details = error.get("details")
    return str(details.get("error_code") or "") if isinstance(details, dict) else ""


def _refined(kind: FaultKind, message: str, code: str) -> FaultKind:
    lowered = message.lower()
    if any(word in lowered or word in code for word in _SPENT):
        return FaultKind.BILLING
    if kind is FaultKind.INVALID_REQUEST and any(word in lowered for word in _TOO_LONG):
        return FaultKind.CONTEXT_LENGTH
    return kind
