"""The gateway's own errors in each dialect's words: status, and the type that makes an SDK raise its class."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tollway_dialects.dialect import StreamReader

# what a reader calls an event that cannot be read
MALFORMED_EVENT = "malformed_event"
_OF_TYPE = re.compile(r"must be (a|an|of|true)\b")
_OF_FIELD = re.compile(r"([a-z][\w.]*): (.+)", re.DOTALL)


class GatewayErrorKind(Enum):
    """What went wrong: (HTTP status, Anthropic type, OpenAI type, OpenAI code)."""

    INVALID_REQUEST = (400, "invalid_request_error", "invalid_request_error", None)
    UNAUTHENTICATED = (401, "authentication_error", "invalid_request_error", "invalid_api_key")
    QUOTA_EXCEEDED = (402, "billing_error", "insufficient_quota", "insufficient_quota")
    NOT_FOUND = (404, "not_found_error", "invalid_request_error", "not_found")
    PREVIOUS_NOT_FOUND = (400, "invalid_request_error", "invalid_request_error", "previous_response_not_found")
    MODEL_NOT_FOUND = (404, "not_found_error", "invalid_request_error", "model_not_found")
    METHOD_NOT_ALLOWED = (405, "invalid_request_error", "invalid_request_error", "method_not_allowed")
    REQUEST_TIMEOUT = (408, "invalid_request_error", "invalid_request_error", "request_timeout")
    TOO_LARGE = (413, "request_too_large", "invalid_request_error", "request_too_large")
    UNSUPPORTED_MEDIA_TYPE = (415, "invalid_request_error", "invalid_request_error", "unsupported_media_type")
    HEADERS_TOO_LARGE = (431, "invalid_request_error", "invalid_request_error", "headers_too_large")
    INTERNAL = (500, "api_error", "server_error", "internal_error")
    UNAVAILABLE = (503, "api_error", "server_error", "unavailable")
    TIMEOUT = (504, "timeout_error", "server_error", "timeout")

    def __init__(self, status: int, anthropic_type: str, openai_type: str, openai_code: str | None) -> None:
        self.status = status
        self.anthropic_type = anthropic_type
        self.openai_type = openai_type
        self.openai_code = openai_code


# what a refusal is about, where it does not say so itself
_PARAMS = {GatewayErrorKind.PREVIOUS_NOT_FOUND: "previous_response_id"}


def anthropic_error_body(kind: GatewayErrorKind, message: str, request_id: str) -> bytes:
    error = {"type": kind.anthropic_type, "message": message}
    return msgspec.json.encode({"type": "error", "error": error, "request_id": request_id})


def openai_error_body(kind: GatewayErrorKind, message: str) -> bytes:
    """Return OpenAI's form; a refusal of a field, which begins with its name, names it in `param` as OpenAI does."""
    param, code = _PARAMS.get(kind), kind.openai_code
    if kind is GatewayErrorKind.INVALID_REQUEST and (refusal := _OF_FIELD.fullmatch(message)):
        param, why = refusal.groups()
        if why == "Field required":
            message, code = f"Missing required parameter: '{param}'.", "missing_required_parameter"
        elif _OF_TYPE.match(why):
            message, code = f"Invalid type for '{param}': it {why}.", "invalid_type"
    return msgspec.json.encode({"error": {"message": message, "type": kind.openai_type, "param": param, "code": code}})


def ends_in_error(reader: StreamReader, sent: bytes) -> bool:
    """Say whether the provider has told its error itself in what was last sent: a stream ends once."""
    reader.feed(sent)
    return reader.error not in (None, MALFORMED_EVENT)
