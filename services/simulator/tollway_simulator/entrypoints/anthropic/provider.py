"""Headers and errors of Anthropic's API; for everything under it that is served."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.domain.error_names import ANTHROPIC_ERRORS
from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.entrypoints.dialect import ErrorAnswer
from tollway_simulator.entrypoints.keys import key_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_simulator.domain.faces import Face
    from tollway_simulator.entrypoints.bodies import WrongField
    from tollway_simulator.entrypoints.connection.exchange import Exchange
    from tollway_simulator.entrypoints.dialect import Provider

VERSIONS = {b"2023-01-01", b"2023-06-01", b"2026-10-21"}

ORGANIZATION = "00000000-0000-4000-8000-000000000001"
REQUESTS_PER_MINUTE = 4000
SECONDS_TO_RESET = 60
# what is limited, and how much of it there is for each request
LIMITS = {"requests": 1, "tokens": 1200, "input-tokens": 1000, "output-tokens": 200}

ERROR_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
WORDS = {
    "context_length_exceeded": "prompt is too long: 218340 tokens > 200000 maximum",
    "content_policy_violation": "Output blocked by content filtering policy: {reason}",
}

_EXPECTED = re.compile(r"Expected `(\w+)")
_BOUND = re.compile(r"Expected `(\w+)`(?: of length)? ([<>]=) (\d+)")
_BOUNDS = {">=": "greater than or equal to", "<=": "less than or equal to"}
_COUNTED = {"array": ("List", "item"), "str": ("String", "character")}
_KINDS = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "array": "list",
    "object": "dictionary",
}


class Anthropic:
    """Implements `Provider`."""

    name: Face = "anthropic"
    shape = "anthropic"
    default_failure = 529

    def read_key(self, exchange: Exchange) -> bytes:
        return key_in(exchange)

    def check_headers(self, exchange: Exchange) -> None:
        version = exchange.headers.get(b"anthropic-version")
        if not version:
            raise Refusal(400, "anthropic-version: header is required")
        if version not in VERSIONS:
            known = b", ".join(sorted(VERSIONS)).decode()
            raise Refusal(400, f"anthropic-version: not a version that is known; known are {known}")

    def __init__(self) -> None:
        self._second = 0
        self._standing = b""

    def head_lines(self, request_id: str, received_at: float, remaining: int | None = None) -> bytes:
        if remaining is not None:
            return b"request-id: %b\r\n%b" % (request_id.encode(), _standing(int(received_at), remaining))
        if self._second != int(received_at):
            self._second = int(received_at)
            self._standing = _standing(self._second, REQUESTS_PER_MINUTE - 1)
        return b"request-id: %b\r\n%b" % (request_id.encode(), self._standing)

    def render_error(self, refusal: Refusal, request_id: str) -> ErrorAnswer:
        body = {"type": "error", "error": error_object(refusal), "request_id": request_id}
        return ErrorAnswer(refusal.status, msgspec.json.encode(body))


def _standing(now: int, remaining: int) -> bytes:
    reset = datetime.fromtimestamp(now + SECONDS_TO_RESET, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = [f"anthropic-organization-id: {ORGANIZATION}\r\n"]
    for kind, share in LIMITS.items():
        lines += [
            f"anthropic-ratelimit-{kind}-limit: {REQUESTS_PER_MINUTE * share}\r\n",
            f"anthropic-ratelimit-{kind}-remaining: {remaining * share}\r\n",
            f"anthropic-ratelimit-{kind}-reset: {reset}\r\n",
        ]
    return "".join(lines).encode()


def error_object(refusal: Refusal) -> dict[str, Any]:
    if refusal.name in ANTHROPIC_ERRORS:
        kind = refusal.name
    else:
        kind = ERROR_TYPES.get(refusal.status, "api_error" if refusal.status >= 500 else "invalid_request_error")
    error: dict[str, Any] = {"type": kind, "message": refusal.worded(WORDS)}
    if refusal.code:
        error["details"] = {"error_code": refusal.code}
    return error


def explain(wrong: WrongField | None) -> Refusal:
    """Return Anthropic's words for a body that is not JSON or has a wrong field."""
    if wrong is None:
        return Refusal(400, "The request body is not valid JSON")
    name = wrong.dotted
    message = _said(wrong.message)
    return Refusal(400, f"{name}: {message}" if name else message, name or None)


def _said(message: str) -> str:
    if match := _BOUND.fullmatch(message):
        if match[1] in _COUNTED:
            whole, one = _COUNTED[match[1]]
            bound = "at least" if match[2] == ">=" else "at most"
            return f"{whole} should have {bound} {match[3]} {one}{'' if match[3] == '1' else 's'}"
        return f"Input should be {_BOUNDS[match[2]]} {match[3]}"
    if match := _EXPECTED.match(message):
        return f"Input should be a valid {_KINDS.get(match[1], match[1])}"
    return message


class Lent(Anthropic):
    """Anthropic's API as another provider serves it: no version is demanded, and the headers are the other's."""

    def __init__(self, owner: Provider, kind_of: Callable[[Refusal], str] | None = None) -> None:
        super().__init__()
        self.name = owner.name
        self._owner = owner
        self._kind_of = kind_of

    def check_headers(self, exchange: Exchange) -> None:
        """Nothing but the key is demanded."""

    def head_lines(self, request_id: str, received_at: float, remaining: int | None = None) -> bytes:
        return self._owner.head_lines(request_id, received_at, remaining)

    def render_error(self, refusal: Refusal, request_id: str) -> ErrorAnswer:
        error = error_object(refusal)
        if self._kind_of is not None:
            error["error_type"] = self._kind_of(refusal)
        return ErrorAnswer(refusal.status, msgspec.json.encode({"type": "error", "error": error}))
