"""Errors by name, their codes and their headers, and the headers of limits."""

from __future__ import annotations

import json

import pytest
from anthropic._exceptions import OverloadedError


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("overloaded_error", 529, "overloaded_error"),
        ("conflict_error", 409, "conflict_error"),
        ("request_too_large", 413, "request_too_large"),
        ("timeout_error", 504, "timeout_error"),
        ("insufficient_quota", 429, "rate_limit_error"),
    ],
)
async def test_anthropics_errors_are_called_by_name(simulator, name, status, kind):
    response, raw = await simulator.post("/v1/messages", f"[error={name}]")
    assert (response.status, json.loads(raw)["error"]["type"]) == (status, kind)


@pytest.mark.parametrize(
    ("name", "status", "kind", "code"),
    [
        ("insufficient_quota", 429, "insufficient_quota", "insufficient_quota"),
        ("context_length_exceeded", 400, "invalid_request_error", "context_length_exceeded"),
        ("server_error", 500, "server_error", None),
        ("overloaded_error", 529, "server_error", None),
    ],
)
@pytest.mark.parametrize("at", ["/v1/chat/completions", "/v1/responses"])
async def test_openais_errors_are_called_by_name(simulator, at, name, status, kind, code):
    response, raw = await simulator.post(at, f"[error={name}]")
    error = json.loads(raw)["error"]
    assert (response.status, error["type"], error["code"]) == (status, kind, code)


async def test_an_error_has_a_code_a_time_to_wait_and_a_word_on_retrying(simulator):
    text = "[status=402][code=linked_organization_spend_limit_reached][retry_after=86400][should_retry=false]"
    response, raw = await simulator.post("/v1/messages", text)
    assert json.loads(raw)["error"] == {
        "type": "billing_error",
        "message": "This error was asked for: 402",
        "details": {"error_code": "linked_organization_spend_limit_reached"},
    }
    assert (response.headers["retry-after"], response.headers["x-should-retry"]) == ("86400", "false")
    response, _ = await simulator.post("/v1/messages", "[status=529][should_retry]")
    assert response.headers["x-should-retry"] == "true"
    await simulator.control(
        "POST", "/script", json={"status": 503, "retry_after": "Wed, 21 Oct 2026 07:28:00 GMT", "should_retry": True}
    )
    response, _ = await simulator.post("/v1/chat/completions", "hello")
    assert response.headers["retry-after"] == "Wed, 21 Oct 2026 07:28:00 GMT"


async def test_answers_tell_the_limits_of_the_account(simulator):
    message = await simulator.anthropic.messages.with_raw_response.create(
        **simulator.body_for("/v1/messages", "hello", stream=False)
    )
    assert message.headers["anthropic-ratelimit-requests-remaining"] == "3999"
    assert message.headers["anthropic-ratelimit-input-tokens-reset"].endswith("Z")
    assert message.headers["anthropic-organization-id"]
    response, _ = await simulator.post("/v1/chat/completions", "[limits=7]")
    assert response.headers["x-ratelimit-remaining-requests"] == "7"
    assert response.headers["openai-version"] == "2020-10-01"
    assert int(response.headers["openai-processing-ms"]) >= 0
    response, _ = await simulator.post("/v1/chat/completions", "[status=429]")
    assert response.headers["x-ratelimit-remaining-requests"] == "0"


async def test_the_sdk_raises_the_error_of_an_overloaded_stream(simulator):
    with pytest.raises(OverloadedError):
        await simulator.anthropic.messages.create(
            **simulator.body_for("/v1/messages", "[error=overloaded_error]", stream=False)
        )
