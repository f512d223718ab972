"""What every kind of error means, told by status, name, text or header."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tollway_provider_dispatch.domain.ports import UpstreamBroken
from tollway_provider_dispatch.domain.trying.verdict import (
    Verdict,
    verdict_of,
    verdict_of_broken,
    verdict_of_event,
    verdict_of_success,
)

NOW = 1_790_000_000.0


def error(**fields: Any) -> bytes:
    return json.dumps({"error": fields}).encode()


def seen(status: int, body: bytes = b"", headers: bytes = b"") -> Verdict:
    return verdict_of(status, headers, body, NOW).verdict


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (400, Verdict.REFUSED),
        (401, Verdict.BAD_KEY),
        (402, Verdict.NO_CREDIT),
        (403, Verdict.BAD_KEY),
        (404, Verdict.REFUSED),
        (408, Verdict.FAILED),
        (409, Verdict.FAILED),
        (413, Verdict.REFUSED),
        (422, Verdict.REFUSED),
        (429, Verdict.RATE_LIMITED),
        (500, Verdict.FAILED),
        (502, Verdict.FAILED),
        (503, Verdict.FAILED),
        (504, Verdict.FAILED),
        (524, Verdict.FAILED),
        (529, Verdict.OVERLOADED),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>oops</html>", b"[]", b'{"error":"oops"}', b"[" * 2000])
def test_a_status_says_it_where_the_body_says_nothing(status, verdict, body):
    fault = verdict_of(status, b"", body, NOW)
    assert (fault.verdict, fault.reason, fault.retry_after) == (verdict, f"status_{status}", None)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        # OpenAI: a quota that is used up is told as a rate limit
        (429, error(type="insufficient_quota", code="insufficient_quota", message="x"), Verdict.NO_CREDIT),
        (429, error(type="requests", code="rate_limit_exceeded", message="x"), Verdict.RATE_LIMITED),
        (400, error(type="invalid_request_error", code="context_length_exceeded", message="x"), Verdict.TOO_LONG),
        (400, error(type="invalid_request_error", code="content_policy_violation", message="x"), Verdict.REFUSED),
        # Anthropic
        (
            400,
            error(type="invalid_request_error", message="Your credit balance is too low to go on."),
            Verdict.NO_CREDIT,
        ),
        (
            400,
            error(type="invalid_request_error", message="You have reached your specified API usage limits."),
            Verdict.NO_CREDIT,
        ),
        (
            429,
            error(type="rate_limit_error", details={"error_code": "contract_spend_limit_reached"}),
            Verdict.NO_CREDIT,
        ),
        (429, error(type="rate_limit_error", details={"error_code": "ramp_limit_exceeded"}), Verdict.RATE_LIMITED),
        (400, error(type="invalid_request_error", message="prompt is too long: 210000 tokens"), Verdict.TOO_LONG),
        (500, error(type="overloaded_error", message="x"), Verdict.OVERLOADED),
        # Gemini, also inside a list
        (400, error(code=400, status="INVALID_ARGUMENT", details=[{"reason": "API_KEY_INVALID"}]), Verdict.BAD_KEY),
        (429, b"[%s]" % error(code=429, status="RESOURCE_EXHAUSTED"), Verdict.RATE_LIMITED),
        # OpenRouter
        (402, error(code=402, metadata={"reason": "in_flight_budget_exhausted"}), Verdict.RATE_LIMITED),
        (403, error(code=403, metadata={"flagged_input": "…", "reasons": ["x"]}), Verdict.REFUSED),
        (400, error(code=400, metadata={"error_type": "context_length_exceeded"}), Verdict.TOO_LONG),
    ],
)
def test_a_name_in_the_body_comes_before_the_status(status, body, verdict):
    assert seen(status, body) is verdict


@pytest.mark.parametrize(
    "message",
    ["Your credit balance is too low: Extra inputs are not permitted", "messages.0: Your credit balance is too low"],
)
def test_a_field_that_a_client_named_says_nothing_of_the_gateways_credit(message):
    assert seen(400, error(type="invalid_request_error", message=message)) is Verdict.REFUSED


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        (b"retry-after: 7\r\n", b"", 7),
        (b"retry-after: 0.5\r\n", b"", 0.5),
        (b"retry-after: 7\r\nretry-after-ms: 250\r\n", b"", 0.25),
        (b"retry-after: Mon, 21 Sep 2026 14:13:30 GMT\r\n", b"", 10),
        (b"retry-after: Mon, 21 Sep 2020 14:13:30 GMT\r\n", b"", 0),
        (b"retry-after: soon\r\n", b"", None),
        (b"retry-after: -1\r\n", b"", None),
        (b"retry-after: nan\r\n", b"", None),
        (b"", error(code=429, details=[{"@type": "RetryInfo", "retryDelay": "45.8s"}]), 45.8),
        (b"retry-after: 3\r\n", error(code=429, details=[{"retryDelay": "45.8s"}]), 3),
    ],
)
def test_how_long_to_wait_is_read_wherever_it_is_told(headers, body, seconds):
    assert verdict_of(429, headers, body, NOW).retry_after == seconds


def test_a_provider_may_forbid_a_retry():
    assert not verdict_of(500, b"x-should-retry: false\r\n", b"", NOW).may_retry
    assert verdict_of(500, b"x-should-retry: true\r\n", b"", NOW).may_retry


@pytest.mark.parametrize(
    ("name", "data", "verdict"),
    [
        ("overloaded_error", b'{"type":"error","error":{"type":"overloaded_error"}}', Verdict.OVERLOADED),
        ("rate_limit_error", b"", Verdict.RATE_LIMITED),
        ("api_error", b"", Verdict.FAILED),
        ("malformed_event", b"{oops", Verdict.FAILED),
        ("invalid_request_error", b"", Verdict.REFUSED),
        # OpenRouter: a number, or a name
        ("upstream_error", error(code=502, message="x"), Verdict.FAILED),
        ("upstream_error", error(code="429", message="x"), Verdict.RATE_LIMITED),
        ("upstream_error", error(code=402, message="x"), Verdict.NO_CREDIT),
        ("upstream_error", error(code="server_error", message="x"), Verdict.FAILED),
    ],
)
def test_an_error_inside_a_stream(name, data, verdict):
    assert verdict_of_event(name, data) == verdict_of_event(name, data)
    assert (verdict_of_event(name, data).verdict, verdict_of_event(name, data).reason) == (verdict, name)


def test_an_error_in_a_body_whose_status_said_success():
    found = verdict_of_success(error(code=503, message="x"))
    assert found
    assert found.verdict is Verdict.FAILED
    assert verdict_of_success(b'{"choices":[],"error":null}') is None
    assert verdict_of_success(b'{"choices":[{"message":{"content":"\\"error\\""}}]}') is None


@pytest.mark.parametrize(
    ("reason", "verdict"),
    [
        ("timeout", Verdict.SILENT),
        ("reset", Verdict.FAILED),
        ("connect_failed", Verdict.FAILED),
        ("malformed_response", Verdict.FAILED),
    ],
)
def test_no_answer_at_all(reason, verdict):
    assert verdict_of_broken(UpstreamBroken(reason, "x")).verdict is verdict


@pytest.mark.parametrize(
    ("header", "body", "seconds"),
    [
        (b"retry-after: 999999999\r\n", b"", 3600),
        (b"retry-after: 1e300\r\n", b"", 3600),
        (b"retry-after-ms: 99999999999\r\n", b"", 3600),
        (b"retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n", b"", 3600),
        (b"", error(details=[{"retryDelay": "9" * 20 + "s"}]), 3600),
        (b"", error(details=[{"retryDelay": "9" * 400 + "s"}]), None),
        (b"retry-after: inf\r\n", b"", None),
        (b"retry-after: nan\r\n", b"", None),
    ],
)
def test_nobody_rests_for_longer_than_an_hour_whatever_a_provider_says(header, body, seconds):
    assert verdict_of(429, header, body, NOW).retry_after == seconds


@pytest.mark.parametrize("code", ["\u00b2", "9" * 5000, "", "-1", None, 7.5, [], True])
def test_a_code_that_is_no_status_is_none(code):
    body = json.dumps({"error": {"code": code, "message": "x"}}).encode()
    assert verdict_of(500, b"", body, 0.0).verdict is Verdict.FAILED
