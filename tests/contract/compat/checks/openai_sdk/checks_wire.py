"""How an answer may look on the wire: comments, line ends, odd cuts, compression, errors in the middle."""

from __future__ import annotations

from typing import Any

from checklist import check, told_until_the_end
from connect import WITH_USAGE, client, request
from plain import plain_headers

FORMS = ("comments", "crlf", "beat=0.05] [delay=0.2", "split=7", "split=1", "unicode", "gzip", "obfuscation")


@check
def stream_in_every_form() -> Any:
    return {form: _outcome(f"hello [words=20] [{form}]") for form in FORMS}


@check
def whole_answer_in_every_form() -> Any:
    forms = ("split=7", "unicode", "gzip", "beat=0.05] [delay=0.2")
    return {form: client().chat.completions.create(**request(f"hello [words=20] [{form}]")) for form in forms}


@check
def a_huge_answer() -> Any:
    return _outcome("hello [huge=3000000]")


@check
def error_in_the_middle_of_a_stream() -> Any:
    return [_outcome(f"hello [words=20] [fail=9]{more}") for more in ("", " [error=service_unavailable]")]


@check
def error_before_the_first_word_of_a_stream() -> Any:
    return _outcome("hello [words=20] [fail=0]")


@check
def cut_stream_that_ends_cleanly() -> Any:
    return _outcome("hello [words=20] [end=9]")


@check
def cut_stream_after_garbage() -> Any:
    return _outcome("hello [words=20] [garbage=9]")


@check
def error_page_of_a_proxy() -> Any:
    return [_outcome(f"hello [status={status}] [html]") for status in (502, 503, 413)]


@check
def error_without_a_body() -> Any:
    return [_outcome(f"hello [status={status}] [empty]") for status in (500, 529)]


@check
def errors_by_their_codes() -> Any:
    codes = ("context_length_exceeded", "insufficient_quota", "unsupported_parameter", "content_policy_violation")
    return [_outcome(f"hello [error={code}]") for code in codes]


@check
def what_an_error_tells_of_retries() -> Any:
    told = ("[retry_after=7]", "[retry_after=0.5] [should_retry]", "[should_retry=false]")
    return [_outcome(f"hello [status=429] {words}") for words in told]


@check
def rate_limit_headers() -> Any:
    raw = client().chat.completions.with_raw_response.create(**request("hello [limits=3]"))
    headers = plain_headers(raw.headers)
    assert any(name.startswith("x-ratelimit-") for name in headers)
    return headers


@check
def every_reason_to_finish() -> Any:
    return [
        client().chat.completions.create(**request(f"hello [stop={reason}]"))
        for reason in ("content_filter", "refusal")
    ]


def _outcome(text: str) -> Any:
    return told_until_the_end(
        lambda: client().chat.completions.create(**request(text), stream=True, **WITH_USAGE),
        lambda chunk: chunk.choices[0].delta.content if chunk.choices else chunk.usage,
    )
