"""What an upstream's answer or failure means for the attempts of a call; asked by `dispatch` where a try went wrong."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Any

import msgspec
from tollway_dialects.header_lines import value_of

if TYPE_CHECKING:
    from tollway_provider_dispatch.domain.ports import UpstreamBroken


class Verdict(StrEnum):
    """One row of the provider table."""

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    FAILED = "failed"
    """A fault that may be gone in a moment: a server error, a reset, an answer that is none."""
    SILENT = "silent"
    """Nothing came in time."""
    NO_CREDIT = "no_credit"
    BAD_KEY = "bad_key"
    TOO_LONG = "too_long"
    """The prompt does not fit into this model's context."""
    UNTRANSLATABLE = "untranslatable"
    """What is asked cannot be asked of this provider; it was not."""
    REFUSED = "refused"
    """The request is at fault: the client shall read why."""


class Fault(msgspec.Struct, frozen=True):
    """Why a try is no answer."""

    verdict: Verdict
    reason: str
    """For rows, metrics and headers: never text of the provider's or of a prompt."""
    retry_after: float | None = None
    """Seconds, where the provider told."""
    may_retry: bool = True
    """False where the provider said that the same request makes no sense again."""


_OF_STATUS = {
    401: Verdict.BAD_KEY,
    402: Verdict.NO_CREDIT,
    403: Verdict.BAD_KEY,
    408: Verdict.FAILED,
    409: Verdict.FAILED,
    429: Verdict.RATE_LIMITED,
    529: Verdict.OVERLOADED,
}
_OF_BROKEN = {"timeout": Verdict.SILENT, "untranslatable": Verdict.UNTRANSLATABLE}
# what errors call themselves, whatever their status: type, code, status or reason in the body
_OF_NAME = {
    "insufficient_quota": Verdict.NO_CREDIT,
    "billing_error": Verdict.NO_CREDIT,
    "payment_required": Verdict.NO_CREDIT,
    "linked_organization_spend_limit_reached": Verdict.NO_CREDIT,
    "linked_organization_billing_unavailable": Verdict.NO_CREDIT,
    "enforced_spend_limit_reached": Verdict.NO_CREDIT,
    "contract_spend_limit_reached": Verdict.NO_CREDIT,
    "api_key_invalid": Verdict.BAD_KEY,
    "authentication_error": Verdict.BAD_KEY,
    "permission_error": Verdict.BAD_KEY,
    "context_length_exceeded": Verdict.TOO_LONG,
    "overloaded_error": Verdict.OVERLOADED,
    "provider_overloaded": Verdict.OVERLOADED,
    "rate_limit_error": Verdict.RATE_LIMITED,
    "rate_limit_exceeded": Verdict.RATE_LIMITED,
    "resource_exhausted": Verdict.RATE_LIMITED,
    "invalid_request_error": Verdict.REFUSED,
    "content_policy_violation": Verdict.REFUSED,
}
# OpenRouter: other calls' reservations are in the way, so the same call may go through in a moment
_FOR_A_MOMENT = "in_flight_budget_exhausted"
_NO_CREDIT_TEXT = re.compile(
    r"your credit balance is too low|you have reached your (specified )?(\w+ )*(spend|usage) ?limit"
)
_TOO_LONG_TEXT = re.compile(
    r"prompt is too long|exceeds? (the )?(model's )?(maximum )?context|input token count .*exceeds|exceed context limit"
)
_DETAILS = ("error_code", "reason", "error_type", "flagged_input")
_CODE = re.compile(r"[0-9]{1,3}")
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")
_MOST_READ = 64 * 1024
# nobody rests for longer, whatever a provider says: nothing but time ends a rest
LONGEST_REST = 3600.0


def verdict_of(status: int, header_lines: bytes, body: bytes, now: float) -> Fault:
    """
    Return what an answer means whose status is none of success; `now` is Unix time, for a retry-after that is a date.

    Names in the body come before the status: quotas that are used up are told as 400, 402, 403 or 429.
    """
    error = _Error.of(body)
    verdict = _by_name(error, status) or _by_status(status)
    told = _retry_after(header_lines, now)
    return Fault(
        verdict,
        f"status_{status}",
        error.retry_delay if told is None else told,
        value_of(header_lines, b"x-should-retry").lower() != b"false",
    )


def verdict_of_event(error_type: str, data: bytes) -> Fault:
    """Return what an error means that came inside a stream, under the name that its reader gave it."""
    error = _Error.of(data)
    verdict = _by_name(error, error.status) or _OF_NAME.get(error_type.lower()) or _OF_STATUS.get(error.status)
    return Fault(verdict or Verdict.FAILED, error_type, error.retry_delay)


def verdict_of_success(body: bytes) -> Fault | None:
    """Return the error that a body tells although its status was one of success; None where it tells none."""
    return verdict_of_event("error_in_body", body) if b'"error"' in body and _Error.of(body).is_told else None


def verdict_of_broken(broken: UpstreamBroken) -> Fault:
    """Return what it means that no answer came, or not a whole one."""
    return Fault(_OF_BROKEN.get(broken.reason, Verdict.FAILED), broken.reason)


class _Error:
    """The error in a body of any provider, read as far as it can be."""

    def __init__(self, seen: dict[str, Any], message: str, retry_delay: float | None) -> None:
        self.is_told = bool(seen)
        self.names = [value.lower() for value in seen.values() if isinstance(value, str)]
        code = seen.get("code")
        self.status = int(code) if isinstance(code, int) or (isinstance(code, str) and _CODE.fullmatch(code)) else 0
        self.message = message.lower()
        self.retry_delay = retry_delay
        self.is_flagged = "flagged_input" in seen
        """The input was found to break a provider's rules."""

    @classmethod
    def of(cls, body: bytes) -> _Error:
        try:
            document = msgspec.json.decode(body) if len(body) <= _MOST_READ else None
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, list):  # Gemini, at times
            document = document[0] if document else None
        error = document.get("error") if isinstance(document, dict) else None
        if not isinstance(error, dict):
            return cls({}, "", None)
        seen = {name: error.get(name) for name in ("type", "code", "status", "error_type")}
        retry_delay = None
        for detail in _details(error):
            seen |= {name: detail[name] for name in _DETAILS if name in detail}
            if found := _SECONDS.fullmatch(str(detail.get("retryDelay", ""))):
                retry_delay = _rest(float(found[1]))
        message = error.get("message")
        return cls(seen, message if isinstance(message, str) else "", retry_delay)


def _details(error: dict[str, Any]) -> list[dict[str, Any]]:
    details = error.get("details")
    several = details if isinstance(details, list) else [details, error.get("metadata")]
    return [detail for detail in several if isinstance(detail, dict)]


def _by_name(error: _Error, status: int) -> Verdict | None:
    if _FOR_A_MOMENT in error.names:
        return Verdict.RATE_LIMITED
    found = {_OF_NAME[name] for name in error.names if name in _OF_NAME}
    for verdict in (Verdict.NO_CREDIT, Verdict.TOO_LONG, Verdict.OVERLOADED):
        if verdict in found:
            return verdict
    if "api_key_invalid" in error.names:  # Gemini says so with 400
        return Verdict.BAD_KEY
    if error.is_flagged or "content_policy_violation" in error.names:  # OpenRouter says so with 403
        return Verdict.REFUSED
    if status in {400, 413} and _TOO_LONG_TEXT.search(error.message):
        return Verdict.TOO_LONG
    # a refused field stands before a colon, and its name is the client's to choose
    if status in {400, 403, 429} and ": " not in error.message and _NO_CREDIT_TEXT.match(error.message):
        return Verdict.NO_CREDIT
    if status >= 400:
        return None
    return next(iter(found), None)


def _by_status(status: int) -> Verdict:
    return _OF_STATUS.get(status) or (Verdict.FAILED if status >= 500 else Verdict.REFUSED)


def _retry_after(header_lines: bytes, now: float) -> float | None:
    milliseconds = _number(value_of(header_lines, b"retry-after-ms"))
    if milliseconds is not None:
        return _rest(milliseconds / 1000)
    value = value_of(header_lines, b"retry-after")
    seconds = _number(value)
    if seconds is not None:
        return _rest(seconds)
    try:
        return _rest(parsedate_to_datetime(value.decode("latin-1")).timestamp() - now) if value else None
    except (ValueError, OverflowError):
        return None


def _number(value: bytes) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if number >= 0 and isfinite(number) else None


def _rest(seconds: float) -> float | None:
    return min(max(0.0, seconds), LONGEST_REST) if isfinite(seconds) else None
