"""What is read of a request, and the little that is changed in it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from tollway_dialects.prompt import prepend_system, prompt_features
from tollway_dialects.request import MalformedRequest
from tollway_dialects.wires import WIRES
from tollway_edge.domain.fingerprint import exact_key
from tollway_edge.domain.request import choices_asked_for, read_prompt_reference, read_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_edge.domain.call import Call


@pytest.fixture
def openai_call(make_call: Callable[..., Call]) -> Call:
    return make_call("openai")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": ...}, "model: Field required"),
        ({"model": ""}, "model: Field required"),
        ({"model": None}, "model: Field required"),
        ({"model": 7}, "model: must be a string"),
        ({"model": "m" * 257}, "model: must be at most 256 characters"),
        ({"stream": "true"}, "stream: must be true or false"),
        ({"stream": 1}, "stream: must be true or false"),
        ({"max_tokens": "64"}, "max_tokens: must be a whole number"),
        ({"max_tokens": -1}, "max_tokens: must be from 0 to"),
        ({"max_completion_tokens": 10**30}, "max_completion_tokens: must be from 0 to"),
        ({"stream": True, "stream_options": "usage"}, "stream_options: must be"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    openai_call: Call, make_body: Callable[..., bytes], fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(MalformedRequest, match=message):
        read_request(openai_call, make_body(**fields))


def test_a_name_that_is_too_long_for_a_model_is_not_noted(openai_call: Call, make_body: Callable[..., bytes]) -> None:
    with pytest.raises(MalformedRequest, match="at most 256"):
        read_request(openai_call, make_body(model="m" * 1_000_000, max_tokens=-1))
    assert openai_call.requested_model == ""


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"text"', b"null", b'{"model": "a"} tail', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(openai_call: Call, raw: bytes) -> None:
    with pytest.raises(MalformedRequest, match="the request body"):
        read_request(openai_call, raw)


@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
@pytest.mark.parametrize("fields", [{}, {"stream": False, "stream_options": None}, {"unknown": {"a": [1, 2.50]}}])
def test_a_body_in_which_nothing_is_changed_keeps_its_bytes(
    make_call: Callable[..., Call], make_body: Callable[..., bytes], dialect: str, fields: dict[str, Any]
) -> None:
    raw = b" \n" + make_body(**fields).replace(b": ", b"  :\t")
    body = read_request(make_call(dialect), raw)
    assert (body.raw, body.changes) == (raw, [])


def test_an_anthropic_stream_and_one_that_asks_for_usage_keep_their_bytes(
    make_call: Callable[..., Call], make_body: Callable[..., bytes]
) -> None:
    for dialect, options in (("anthropic", ...), ("openai", {"include_usage": True})):
        call, raw = make_call(dialect), make_body(stream=True, stream_options=options)
        assert read_request(call, raw).raw == raw
        assert (call.is_stream, call.strips_usage_event) == (True, False)
        assert call.wants_usage_event == (dialect == "openai")


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        (..., {"include_usage": True}),
        (None, {"include_usage": True}),
        ({}, {"include_usage": True}),
        ({"include_usage": False}, {"include_usage": True}),
        ({"include_usage": None}, {"include_usage": True}),
        (
            {"include_usage": False, "include_obfuscation": False},
            {"include_usage": True, "include_obfuscation": False},
        ),
    ],
)
def test_an_openai_stream_is_always_asked_for_its_usage(
    openai_call: Call, make_body: Callable[..., bytes], options: Any, asked: Any
) -> None:
    raw = make_body(stream=True, stream_options=options)
    body = read_request(openai_call, raw)
    assert json.loads(body.raw) == json.loads(raw) | {"stream_options": asked}
    assert body.changes == ["stream_options"]
    assert (openai_call.wants_usage_event, openai_call.strips_usage_event) == (False, True)


@pytest.mark.parametrize("dialect", ["anthropic_count_tokens", "openai_embeddings"])
@pytest.mark.parametrize("stream", [True, "yes", {"a": 1}])
def test_where_nothing_streams_stream_and_limits_are_the_providers_to_judge(
    make_call: Callable[..., Call], make_body: Callable[..., bytes], dialect: str, stream: Any
) -> None:
    call, raw = make_call(dialect), make_body(stream=stream, max_tokens="many", stream_options=7)
    assert read_request(call, raw).raw == raw
    assert (call.is_stream, call.max_tokens) == (False, None)


@pytest.mark.parametrize(("limit", "expected"), [(..., None), (None, None), (64, 64)])
def test_a_response_has_a_limit_of_its_own_name(
    make_call: Callable[..., Call], make_body: Callable[..., bytes], limit: Any, expected: int | None
) -> None:
    call = make_call("openai_responses")
    raw = make_body(stream=True, input="x", max_output_tokens=limit, max_tokens=9, stream_options={"a": 1})
    assert read_request(call, raw).raw == raw
    assert (call.is_stream, call.max_tokens, call.strips_usage_event) == (True, expected, False)


@pytest.mark.parametrize("depth", [100, *range(840, 1000, 8), 10_000])
@pytest.mark.parametrize("dialect", WIRES)
def test_a_value_nested_too_deeply_is_refused_or_passes(
    make_call: Callable[..., Call], make_body: Callable[..., bytes], dialect: str, depth: int
) -> None:
    deep = b"[" * depth + b"]" * depth
    fields = ("messages", "input", "instructions", "system", "tools", "metadata", "thinking", "store", "stream_options")
    for name in (*fields, "prompt", "n", "temperature", "reasoning", "a_field_of_tomorrow"):
        asked = make_body(**{"stream": True, "input": [], name: "@"})
        for value in (deep, b'{"a":%s}' % deep, b'[{"role":"user","content":%s}]' % deep):
            call = make_call(dialect)
            for step in (
                lambda body: exact_key(call, body),  # noqa: B023 - used at once
                lambda body: prompt_features(body, call.dialect),  # noqa: B023
                lambda body: prepend_system(body, call.dialect, "x"),  # noqa: B023
                choices_asked_for,
                read_prompt_reference,
            ):
                with suppress(MalformedRequest):
                    step(read_request(call, asked.replace(b'"@"', value)))


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({"max_tokens": ...}, None),
        ({"max_tokens": 64}, 64),
        ({"max_tokens": 0}, None),
        ({"max_tokens": None, "max_completion_tokens": 32}, 32),
        ({"max_tokens": ..., "max_completion_tokens": 32}, 32),
        ({"max_tokens": 1, "max_completion_tokens": 9000}, 9000),
    ],
)
def test_the_larger_token_limit_counts(
    openai_call: Call, make_body: Callable[..., bytes], fields: dict[str, Any], limit: int | None
) -> None:
    read_request(openai_call, make_body(**fields))
    assert openai_call.max_tokens == limit


@pytest.mark.parametrize(("asked", "choices"), [(..., 1), (None, 1), (1, 1), (8, 8), (0, 1)])
def test_choices_are_counted(openai_call: Call, make_body: Callable[..., bytes], asked: Any, choices: int) -> None:
    assert choices_asked_for(read_request(openai_call, make_body(n=asked))) == choices


@pytest.mark.parametrize(
    "prompt", ["name", 7, [], {}, {"id": 7}, {"id": "a", "version": "1"}, {"id": "a", "variables": 1}]
)
def test_a_prompt_reference_of_another_shape_is_refused(
    openai_call: Call, make_body: Callable[..., bytes], prompt: Any
) -> None:
    body = read_request(openai_call, make_body(prompt=prompt))
    with pytest.raises(MalformedRequest, match="prompt: must be an object with id"):
        read_prompt_reference(body)


@pytest.mark.parametrize("version", [-1, 2**31, 2**63, 10**30])
def test_a_version_that_no_prompt_can_have_is_refused(
    openai_call: Call, make_body: Callable[..., bytes], version: int
) -> None:
    body = read_request(openai_call, make_body(prompt={"id": "brief", "version": version}))
    with pytest.raises(MalformedRequest, match=r"^prompt"):
        read_prompt_reference(body)


def test_a_prompt_that_openai_keeps_is_openais_business(make_body: Callable[..., bytes], make_call: Any) -> None:
    kept = {"id": "pmpt_123", "version": "2", "variables": {"name": {"type": "input_text", "text": "x"}}}
    assert read_prompt_reference(read_request(make_call("openai_responses"), make_body(prompt=kept))) is None
