"""An error of a provider, and what stands for it in the dialects that are told by type and code."""

from __future__ import annotations

from enum import Enum

import msgspec


class FaultKind(Enum):
    """What went wrong: (OpenAI status, Anthropic status, Anthropic type, OpenAI type, OpenAI code)."""

    INVALID_REQUEST = (400, 400, "invalid_request_error", "invalid_request_error", None)
    CONTEXT_LENGTH = (400, 400, "invalid_request_error", "invalid_request_error", "context_length_exceeded")
    CONTENT_POLICY = (400, 400, "invalid_request_error", "invalid_request_error", "content_policy_violation")
    UNAUTHENTICATED = (401, 401, "authentication_error", "invalid_request_error", "invalid_api_key")
    BILLING = (402, 402, "billing_error", "insufficient_quota", "insufficient_quota")
    FORBIDDEN = (403, 403, "permission_error", "invalid_request_error", "permission_denied")
    NOT_FOUND = (404, 404, "not_found_error", "invalid_request_error", "not_found")
    CONFLICT = (409, 409, "conflict_error", "invalid_request_error", "conflict")
    TOO_LARGE = (413, 413, "request_too_large", "invalid_request_error", "request_too_large")
    RATE_LIMITED = (429, 429, "rate_limit_error", "rate_limit_error", "rate_limit_exceeded")
    SERVER = (500, 500, "api_error", "server_error", "server_error")
    OVERLOADED = (503, 529, "overloaded_error", "server_error", "overloaded")
    TIMEOUT = (504, 504, "timeout_error", "server_error", "timeout")

    def __init__(
        self,
        openai_status: int,
        anthropic_status: int,
        anthropic_type: str,
        openai_type: str,
        openai_code: str | None,
    ) -> None:
        self.openai_status = openai_status
        self.anthropic_status = anthropic_status
        self.anthropic_type = anthropic_type
        self.openai_type = openai_type
        self.openai_code = openai_code


_BY_STATUS = {
    401: FaultKind.UNAUTHENTICATED,
    402: FaultKind.BILLING,
    403: FaultKind.FORBIDDEN,
    404: FaultKind.NOT_FOUND,
    408: FaultKind.TIMEOUT,
    409: FaultKind.CONFLICT,
    413: FaultKind.TOO_LARGE,
    429: FaultKind.RATE_LIMITED,
    503: FaultKind.OVERLOADED,
    504: FaultKind.TIMEOUT,
    529: FaultKind.OVERLOADED,
}


class Fault(msgspec.Struct, frozen=True):
    """What a provider said instead of an answer."""

    kind: FaultKind
    message: str
    param: str | None = None
    retry_after: float | None = None
    """Seconds, where the body says so."""


def kind_of_status(status: int) -> FaultKind:
    """Return what a status alone says, where the body is not to be read."""
    return _BY_STATUS.get(status, FaultKind.INVALID_REQUEST if status < 500 else FaultKind.SERVER)
