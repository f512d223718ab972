"""Gemini as a wire: usage normalised, the end of a stream without a final event, errors in every place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tollway_dialects.dialect import Dialect
from tollway_dialects.errors import MALFORMED_EVENT
from tollway_dialects.errors import GatewayErrorKind as Kind
from tollway_dialects.gemini.wire import path_of
from tollway_dialects.request import RequestBody
from tollway_dialects.usage import Usage
from tollway_dialects.wires import UPSTREAM_WIRES, WIRES

if TYPE_CHECKING:
    from collections.abc import Callable

GEMINI = UPSTREAM_WIRES[Dialect.GEMINI]
TOLD = {"promptTokenCount": 40, "cachedContentTokenCount": 32, "candidatesTokenCount": 9, "thoughtsTokenCount": 11}
USAGE = Usage(uncached_input=8, cache_read=32, output=20, reasoning=11)


def chunk(*parts: Any, finish: str | None = None, usage: Any = None, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "responseId": "r1"} | ({"usageMetadata": usage} if usage else {}) | more


def stream(*chunks: Any) -> bytes:
    return b"".join(b"data: %b\r\n\r\n" % json.dumps(each).encode() for each in chunks)


CALL = {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "s="}
WHOLE = [
    chunk({"text": "Hm", "thought": True}, usage={"promptTokenCount": 40, "totalTokenCount": 40}),
    chunk({"text": "Two"}, usage={"promptTokenCount": 40, "candidatesTokenCount": 1, "thoughtsTokenCount": 11}),
    chunk({"text": "."}, CALL, finish="STOP", usage=TOLD),
]


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (TOLD, USAGE),
        ({"promptTokenCount": 8, "candidatesTokenCount": 1}, Usage(uncached_input=8, output=1)),
        ({"promptTokenCount": 8, "toolUsePromptTokenCount": 5}, Usage(uncached_input=13)),
        ({"promptTokenCount": None, "thoughtsTokenCount": 3}, Usage(output=3, reasoning=3)),
        # more cached than read: never a negative count
        ({"promptTokenCount": 3, "cachedContentTokenCount": 5}, Usage(cache_read=5)),
        ({}, Usage()),
    ],
)
def test_thoughts_are_output_and_the_cached_are_counted_once(told: Any, usage: Usage) -> None:
    body = json.dumps(chunk({"text": "x"}, finish="STOP") | {"usageMetadata": told}).encode()
    assert GEMINI.read_usage(body) == (usage, "STOP")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"usageMetadata": 7}', b"[{},{}]", b"[" * 100_000])
def test_an_answer_that_cannot_be_read_tells_nothing(body: bytes) -> None:
    assert GEMINI.read_usage(body) == (None, None)


def test_a_stop_that_calls_is_told_from_one_that_does_not_and_only_the_latter_is_storable() -> None:
    reasons = [GEMINI.read_usage(json.dumps(chunk(part, finish="STOP")).encode())[1] for part in (CALL, {"text": "x"})]
    assert reasons == ["FUNCTION_CALL", "STOP"]
    assert [reason for reason in [*reasons, "MAX_TOKENS", "SAFETY", None] if GEMINI.is_storable(reason)] == [
        "STOP",
        "MAX_TOKENS",
    ]


@given(places=some.lists(some.integers(0, 2**16), max_size=8))
def test_a_stream_is_read_alike_wherever_it_is_cut(cut: Callable[..., list[bytes]], places: list[int]) -> None:
    reader = GEMINI.stream_reader(7, strip_usage=True)
    whole = stream(*WHOLE)
    assert b"".join(map(reader.feed, cut(whole, places))) == whole
    assert (reader.is_complete, reader.error, reader.stop_reason) == (True, None, "FUNCTION_CALL")
    assert reader.usage == USAGE


def test_until_its_end_a_streams_usage_is_estimated() -> None:
    reader = GEMINI.stream_reader(7, strip_usage=False)
    assert reader.usage == Usage(uncached_input=7, is_estimated=True)
    for number, each in enumerate(WHOLE[:2]):
        told = reader.told
        reader.feed(stream(each))
        assert reader.told is not told
        assert not reader.is_complete
        assert reader.usage == Usage(
            uncached_input=40, output=(1, 12)[number], reasoning=(0, 11)[number], is_estimated=True
        )


def test_each_candidate_that_began_must_end() -> None:
    reader = GEMINI.stream_reader(7, strip_usage=False)
    two = [{"index": 1, "content": {"parts": [{"text": "x"}]}}, {"index": 0, "finishReason": "STOP"}]
    reader.feed(stream({"candidates": two}))
    assert not reader.is_complete
    reader.feed(stream({"candidates": [{"index": 1, "finishReason": "STOP"}]}))
    assert reader.is_complete


def test_a_blocked_prompt_is_a_whole_answer_without_candidates() -> None:
    told = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 9}}
    reader = GEMINI.stream_reader(7, strip_usage=False)
    reader.feed(stream(told))
    assert (reader.is_complete, reader.stop_reason, reader.usage) == (True, "SAFETY", Usage(uncached_input=9))
    assert GEMINI.read_usage(json.dumps(told).encode()) == (Usage(uncached_input=9), "SAFETY")


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"error": {"code": 503, "status": "UNAVAILABLE", "message": "m"}}, "UNAVAILABLE"),
        ([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "m"}}], "RESOURCE_EXHAUSTED"),
        ({"error": {}}, "upstream_error"),
        ("x", MALFORMED_EVENT),
    ],
)
def test_an_error_in_a_stream_is_seen_and_not_told_twice(told: Any, error: str) -> None:
    reader = GEMINI.stream_reader(7, strip_usage=False)
    broken = stream(WHOLE[0], told)
    reader.feed(broken)
    assert (reader.error, reader.is_complete) == (error, False)
    event = GEMINI.error_event(Kind.TIMEOUT, "it stalled", "req_1", broken)
    assert (event == b"") is (error != MALFORMED_EVENT)


def test_an_error_of_the_gateway_has_the_vendors_shape() -> None:
    for kind in Kind:
        error = json.loads(GEMINI.error_body(kind, "m", "req_1"))["error"]
        assert (error["code"], error["message"]) == (kind.status, "m")
        assert error["status"].isupper()
    assert GEMINI.error_event(Kind.TIMEOUT, "m", "req_1") == b"data: %b\n\n" % GEMINI.error_body(Kind.TIMEOUT, "m", "")


def test_a_stream_adds_up_to_the_answer_that_says_the_same_and_back() -> None:
    whole = json.loads(GEMINI.from_events(stream(*WHOLE), Usage()))
    assert whole["candidates"][0]["content"] == {
        "role": "model",
        "parts": [{"text": "Hm", "thought": True}, {"text": "Two."}, CALL],
    }
    assert whole["usageMetadata"] == TOLD
    body = json.dumps(whole, indent=1).encode()
    assert json.loads(GEMINI.from_events(GEMINI.to_events(body, with_usage=True), Usage())) == whole


def test_usage_that_a_stream_did_not_tell_stands_in() -> None:
    body = GEMINI.from_events(stream(chunk({"text": "x"}, finish="STOP")), USAGE)
    assert GEMINI.read_usage(body) == (USAGE, "STOP")


def test_no_client_asks_in_it_and_its_path_names_the_model() -> None:
    assert Dialect.GEMINI not in WIRES
    assert set(UPSTREAM_WIRES) == set(Dialect)
    assert path_of("gemini-3", is_stream=False) == "/v1beta/models/gemini-3:generateContent"
    assert path_of("gemini-3", is_stream=True) == "/v1beta/models/gemini-3:streamGenerateContent?alt=sse"
    assert GEMINI.is_cacheable(RequestBody.parse(b'{"contents":[]}'))
    assert not GEMINI.is_cacheable(RequestBody.parse(b'{"contents":[],"cachedContent":"x"}'))
