"""The names of providers' errors and the status each comes with; a script may ask for any of them."""

from __future__ import annotations

from typing import Literal, get_args

AnthropicError = Literal[
    "invalid_request_error",
    "authentication_error",
    "billing_error",
    "permission_error",
    "not_found_error",
    "conflict_error",
    "request_too_large",
    "rate_limit_error",
    "api_error",
    "timeout_error",
    "overloaded_error",
]
OpenAIError = Literal[
    "invalid_api_key",
    "insufficient_quota",
    "model_not_found",
    "context_length_exceeded",
    "unsupported_parameter",
    "unsupported_value",
    "unknown_parameter",
    "missing_required_parameter",
    "string_above_max_length",
    "content_policy_violation",
    "rate_limit_exceeded",
    "server_error",
    "service_unavailable",
]
ErrorName = Literal[AnthropicError, OpenAIError]

ANTHROPIC_ERRORS: frozenset[str] = frozenset(get_args(AnthropicError))
OPENAI_ERRORS: frozenset[str] = frozenset(get_args(OpenAIError))

STATUS_OF: dict[str, int] = {
    **dict.fromkeys(OPENAI_ERRORS, 400),
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "insufficient_quota": 429,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    "service_unavailable": 503,
}
