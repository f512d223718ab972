"""Errors of an upstream in the client's dialect: the same meaning, the client's status, type and code."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import openai
import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.faults import translate_fault
from tollway_dialects.translation.form.faults import FaultKind as Kind

ANTHROPIC, CHAT = Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT
RESPONSES, GEMINI = Dialect.OPENAI_RESPONSES, Dialect.GEMINI


def of_anthropic(kind: str, message: str = "m", **error: Any) -> Any:
    return {"type": "error", "error": {"type": kind, "message": message, **error}, "request_id": "req_up"}


def of_openai(code: Any, kind: str = "invalid_request_error", **error: Any) -> Any:
    return {"error": {"message": "m", "type": kind, "param": None, "code": code, **error}}


def of_gemini(code: int, status: str, message: str = "m", **error: Any) -> Any:
    return {"error": {"code": code, "message": message, "status": status, **error}}


KEY = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
SPENT = {"details": {"error_code": "linked_organization_spend_limit_reached"}}
TOLD: list[tuple[Dialect, int, Any, Kind]] = [
    (ANTHROPIC, 400, of_anthropic("invalid_request_error"), Kind.INVALID_REQUEST),
    (ANTHROPIC, 400, of_anthropic("invalid_request_error", "prompt is too long: 9 tokens"), Kind.CONTEXT_LENGTH),
    (ANTHROPIC, 400, of_anthropic("invalid_request_error", "Spend limit reached"), Kind.BILLING),
    (ANTHROPIC, 401, of_anthropic("authentication_error"), Kind.UNAUTHENTICATED),
    (ANTHROPIC, 402, of_anthropic("billing_error"), Kind.BILLING),
    (ANTHROPIC, 403, of_anthropic("permission_error"), Kind.FORBIDDEN),
    (ANTHROPIC, 404, of_anthropic("not_found_error"), Kind.NOT_FOUND),
    (ANTHROPIC, 409, of_anthropic("conflict_error"), Kind.CONFLICT),
    (ANTHROPIC, 413, of_anthropic("request_too_large"), Kind.TOO_LARGE),
    (ANTHROPIC, 429, of_anthropic("rate_limit_error"), Kind.RATE_LIMITED),
    (ANTHROPIC, 429, of_anthropic("rate_limit_error", **SPENT), Kind.BILLING),
    (ANTHROPIC, 500, of_anthropic("api_error"), Kind.SERVER),
    (ANTHROPIC, 504, of_anthropic("timeout_error"), Kind.TIMEOUT),
    (ANTHROPIC, 529, of_anthropic("overloaded_error"), Kind.OVERLOADED),
    (CHAT, 400, of_openai("unsupported_parameter"), Kind.INVALID_REQUEST),
    (CHAT, 400, of_openai("context_length_exceeded"), Kind.CONTEXT_LENGTH),
    (CHAT, 401, of_openai("invalid_api_key"), Kind.UNAUTHENTICATED),
    (CHAT, 429, of_openai("insufficient_quota", "insufficient_quota"), Kind.BILLING),
    (CHAT, 429, of_openai("rate_limit_exceeded", "requests"), Kind.RATE_LIMITED),
    (CHAT, 503, of_openai(None, "server_error"), Kind.SERVER),
    (CHAT, 404, of_openai("model_not_found"), Kind.NOT_FOUND),
    (
        CHAT,
        502,
        {"error": {"code": 502, "message": "m", "metadata": {"error_type": "provider_overloaded"}}},
        Kind.OVERLOADED,
    ),
    (CHAT, 402, {"error": {"code": 402, "message": "m"}}, Kind.BILLING),
    (CHAT, 400, {"error": "m"}, Kind.INVALID_REQUEST),
    (RESPONSES, 500, of_openai("server_error", "server_error"), Kind.SERVER),
    (GEMINI, 400, of_gemini(400, "INVALID_ARGUMENT"), Kind.INVALID_REQUEST),
    (GEMINI, 400, of_gemini(400, "INVALID_ARGUMENT", details=KEY), Kind.UNAUTHENTICATED),
    (GEMINI, 400, [of_gemini(400, "INVALID_ARGUMENT", details=KEY)], Kind.UNAUTHENTICATED),
    (
        GEMINI,
        400,
        of_gemini(
            400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed (8)."
        ),
        Kind.CONTEXT_LENGTH,
    ),
    (GEMINI, 403, of_gemini(403, "PERMISSION_DENIED"), Kind.FORBIDDEN),
    (GEMINI, 404, of_gemini(404, "NOT_FOUND"), Kind.NOT_FOUND),
    (GEMINI, 429, of_gemini(429, "RESOURCE_EXHAUSTED"), Kind.RATE_LIMITED),
    (GEMINI, 500, of_gemini(500, "INTERNAL"), Kind.SERVER),
    (GEMINI, 503, of_gemini(503, "UNAVAILABLE"), Kind.OVERLOADED),
    (GEMINI, 504, of_gemini(504, "DEADLINE_EXCEEDED"), Kind.TIMEOUT),
]


@pytest.mark.parametrize(("upstream", "status", "told", "kind"), TOLD)
def test_an_error_means_the_same_in_the_clients_dialect(upstream: Dialect, status: int, told: Any, kind: Kind) -> None:
    for client in (ANTHROPIC, CHAT, RESPONSES):
        translated = translate_fault(upstream, client, status, json.dumps(told).encode(), "req_1")
        body = json.loads(translated.body)
        assert translated.fault.kind is kind
        assert body["error"]["message"] == translated.fault.message != ""
        if client is ANTHROPIC:
            assert (translated.status, body["error"]["type"]) == (kind.anthropic_status, kind.anthropic_type)
            assert (body["type"], body["request_id"]) == ("error", "req_1")
        else:
            assert (translated.status, body["error"]["code"]) == (kind.openai_status, kind.openai_code)


@pytest.mark.parametrize("upstream", [ANTHROPIC, CHAT, RESPONSES, GEMINI])
@pytest.mark.parametrize("body", [b"", b"<html>secret</html>", b"[]", b"7", b"{}", b'{"error":7}', b"[" * 100_000])
def test_of_an_error_that_cannot_be_read_the_status_is_told(upstream: Dialect, body: bytes) -> None:
    for status, kind in (
        (429, Kind.RATE_LIMITED),
        (502, Kind.SERVER),
        (404, Kind.NOT_FOUND),
        (422, Kind.INVALID_REQUEST),
    ):
        translated = translate_fault(upstream, ANTHROPIC, status, body, "req_1")
        assert translated.fault.kind is kind
        assert f"the provider answered {status}" in translated.body.decode()


@pytest.mark.parametrize(("told", "seconds"), [("45.8s", 45.8), ("30s", 30.0), ("soon", None), (7, None), (None, None)])
def test_geminis_rest_is_read(told: Any, seconds: float | None) -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": told}]
    body = json.dumps(of_gemini(429, "RESOURCE_EXHAUSTED", details=details)).encode()
    assert translate_fault(GEMINI, CHAT, 429, body, "").fault.retry_after == seconds


def test_the_sdks_raise_their_classes(answering: Any) -> None:
    told = json.dumps(of_gemini(429, "RESOURCE_EXHAUSTED", "Slower.")).encode()
    one, other = (translate_fault(GEMINI, client, 429, told, "req_1") for client in (ANTHROPIC, CHAT))
    with pytest.raises(anthropic.RateLimitError, match="Slower"):
        answering.anthropic(one.body, one.status).messages.create(
            model="m", max_tokens=1, messages=[{"role": "user", "content": "?"}]
        )
    with pytest.raises(openai.RateLimitError, match="Slower") as error:
        answering.openai(other.body, other.status).chat.completions.create(
            model="m", messages=[{"role": "user", "content": "?"}]
        )
    assert error.value.code == "rate_limit_exceeded"
