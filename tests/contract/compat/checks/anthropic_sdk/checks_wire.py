"""How an answer may look on the wire: pings, comments, line ends, odd cuts, compression, errors in the middle."""

from __future__ import annotations

from typing import Any

from checklist import check, told_until_the_end
from connect import client, request
from plain import plain_headers

FORMS = ("ping", "comments", "crlf", "beat=0.05] [delay=0.2", "split=7", "split=1", "unicode", "gzip")


@check
def stream_in_every_form() -> Any:
    return {form: _final(f"hello [words=20] [{form}]") for form in FORMS}


@check
def whole_answer_in_every_form() -> Any:
    forms = ("split=7", "unicode", "gzip", "beat=0.05] [delay=0.2")
    return {form: client().messages.create(**request(f"hello [words=20] [{form}]")) for form in forms}


@check
def a_huge_answer() -> Any:
    message = _final("hello [huge=3000000]")
    return {"length": len(message.content[0].text), "usage": message.usage}


@check
def error_in_the_middle_of_a_stream() -> Any:
    return [_outcome(f"hello [words=20] [fail=9]{more}") for more in ("", " [error=overloaded_error]")]


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
def what_an_error_tells_of_retries() -> Any:
    told = ("[retry_after=7]", "[retry_after=0.5] [should_retry]", "[should_retry=false]", "[code=ramp_limit_exceeded]")
    return [_outcome(f"hello [status=429] {words}") for words in told]


@check
def rate_limit_headers() -> Any:
    headers = plain_headers(client().messages.with_raw_response.create(**request("hello [limits=3]")).headers)
    assert any(name.startswith("anthropic-ratelimit-") for name in headers)
    return headers


def _final(text: str) -> Any:
    with client().messages.stream(**request(text) | {"max_tokens": 20_000}) as stream:
        return stream.get_final_message()


def _outcome(text: str) -> Any:
    return told_until_the_end(lambda: client().messages.create(**request(text), stream=True), lambda event: event.type)
