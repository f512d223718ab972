"""The gateway's own errors in each dialect's words: status, and the type that makes an SDK raise its class."""

from __future__ import annotations

from enum import Enum


class GatewayErrorKind(Enum):
    """What went wrong: (HTTP status, Anthropic type, OpenAI type, OpenAI code)."""

    INVALID_REQUEST = (400, "invalid_request_error", "invalid_request_error", None)
    UNAUTHENTICATED = (401, "authentication_error", "invalid_request_error", "invalid_api_key")
    QUOTA_EXCEEDED = (402, "billing_error", "insufficient_quota", "insufficient_quota")
    NOT_FOUND = (404, "not_found_error", "invalid_request_error", "not_found")
    MODEL_NOT_FOUND = (404, "not_found_error", "invalid_request_error", "model_not_found")
    METHOD_NOT_ALLOWED = (405, "invalid_request_error", "invalid_request_error", "method_not_allowed")
    TOO_LARGE = (413, "request_too_large", "invalid_request_error", "request_too_large")
    INTERNAL = (500, "api_error", "server_error", "internal_error")
    UNAVAILABLE = (503, "api_error", "server_error", "unavailable")
    TIMEOUT = (504, "timeout_error", "server_error", "timeout")

    def __init__(self, status: int, anthropic_type: str, openai_type: str, openai_code: str | None) -> None:
        self.status = status
        self.anthropic_type = anthropic_type
        self.openai_type = openai_type
        self.openai_code = openai_code
