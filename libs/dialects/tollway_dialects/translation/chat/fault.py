"""Reads and writes OpenAI's errors; those of chat, of Responses, and of the many that imitate them."""

from __future__ import annotations

from typing import Any

import msgspec

from tollway_dialects.translation.form.faults import Fault, FaultKind, kind_of_status

_CODES = {
    "context_length_exceeded": FaultKind.CONTEXT_LENGTH,
    "content_policy_violation": FaultKind.CONTENT_POLICY,
    "invalid_prompt": FaultKind.CONTENT_POLICY,
    "invalid_api_key": FaultKind.UNAUTHENTICATED,
    "insufficient_quota": FaultKind.BILLING,
    "payment_required": FaultKind.BILLING,
    "model_not_found": FaultKind.NOT_FOUND,
    "rate_limit_exceeded": FaultKind.RATE_LIMITED,
    "provider_overloaded": FaultKind.OVERLOADED,
    "provider_unavailable": FaultKind.OVERLOADED,
    "server_error": FaultKind.SERVER,
    "server": FaultKind.SERVER,
    "timeout": FaultKind.TIMEOUT,
}


def fault_of(status: int, body: Any) -> Fault:
    """Return what an error says: an answer of this status, or a chunk (status 500), where a code may be a status."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, str):
        return Fault(kind_of_status(status), error)
    if not isinstance(error, dict):
        return Fault(kind_of_status(status), f"the provider answered {status}")
    code, param = error.get("code"), error.get("param")
    if isinstance(code, int) and 400 <= code < 600:
        status = code
    metadata = error.get("metadata")
    words = [code, error.get("type"), metadata.get("error_type") if isinstance(metadata, dict) else None]
    kinds = [_CODES[word] for word in words if isinstance(word, str) and word in _CODES]
    kind = kinds[0] if kinds else kind_of_status(status)
    return Fault(kind, str(error.get("message") or ""), param if isinstance(param, str) else None)


def fault_body(fault: Fault) -> bytes:
    kind = fault.kind
    error = {"message": fault.message, "type": kind.openai_type, "param": fault.param, "code": kind.openai_code}
    return msgspec.json.encode({"error": error})
