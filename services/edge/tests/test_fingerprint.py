"""Equal questions share a key, all others do not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tollway_dialects.dialect import Dialect
from tollway_dialects.request import MalformedRequest, RequestBody
from tollway_dialects.wires import WIRES
from tollway_edge.domain.call import Call
from tollway_edge.domain.fingerprint import exact_key
from tollway_edge.domain.forwarded import Forwarded
from tollway_edge.domain.workspaces import Workspace

if TYPE_CHECKING:
    from collections.abc import Collection

    Headers = Collection[tuple[bytes, bytes]]

VERSION = [(b"anthropic-version", b"2023-06-01")]


def key(
    workspace: str = "acme",
    dialect: Dialect = Dialect.ANTHROPIC_MESSAGES,
    headers: Headers = VERSION,
    query: str = "",
    **fields: Any,
) -> bytes:
    usual: dict[str, Any] = {"model": "claude-haiku", "messages": [{"role": "user", "content": "Hello"}]}
    forwarded = Forwarded.of(headers)
    call = Call(dialect, WIRES[dialect], b"", forwarded, query, workspace=Workspace(workspace))
    return exact_key(call, RequestBody.parse(json.dumps(usual | fields).encode()))


LONG = [{"role": "user", "content": "Hello! " * 2000}]
MESSAGES, CHAT, RESPONSES = Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT, Dialect.OPENAI_RESPONSES
EMBEDDINGS, COUNTING = Dialect.OPENAI_EMBEDDINGS, Dialect.ANTHROPIC_COUNT_TOKENS


@pytest.mark.parametrize(
    ("dialect", "fields"),
    [
        (MESSAGES, {"stream": True}),
        (MESSAGES, {"stream": False}),
        (MESSAGES, {"metadata": {"user_id": "u1"}}),
        (MESSAGES, {"service_tier": "auto"}),
        (CHAT, {"stream": True, "stream_options": {"include_usage": True}}),
        (CHAT, {"metadata": {"trace": "t1"}}),
        (CHAT, {"user": "u1"}),
        (CHAT, {"safety_identifier": "u1"}),
        (CHAT, {"prompt_cache_key": "k"}),
        (CHAT, {"service_tier": "auto"}),
        (RESPONSES, {"stream": True, "stream_options": {"include_obfuscation": False}}),
        (EMBEDDINGS, {"user": "u1"}),
    ],
)
def test_who_asks_and_how_it_is_delivered_makes_no_other_question(dialect: Dialect, fields: dict[str, Any]) -> None:
    asked = {"store": False} if dialect is RESPONSES else {}
    assert key(dialect=dialect, **asked, **fields) == key(dialect=dialect, **asked)
    assert len(key(dialect=dialect, **asked)) == 32


@pytest.mark.parametrize(
    "fields",
    [{"metadata": {"a": "b"}}, {"user": "u1"}, {"safety_identifier": "u1"}, {"prompt_cache_key": "k"}, {"input": "x"}],
)
def test_what_a_response_repeats_of_its_request_makes_another_one(fields: dict[str, Any]) -> None:
    assert key(dialect=RESPONSES, store=False, **fields) != key(dialect=RESPONSES, store=False)


@pytest.mark.parametrize(
    ("dialect", "fields"),
    [
        (RESPONSES, {}),
        (RESPONSES, {"store": None}),
        (RESPONSES, {"store": True}),
        (RESPONSES, {"store": False, "background": True}),
        (RESPONSES, {"store": False, "previous_response_id": "resp_1"}),
        (RESPONSES, {"store": False, "conversation": "conv_1"}),
        (RESPONSES, {"store": False, "prompt": {"id": "pmpt_1"}}),
        (RESPONSES, {"store": False, "temperature": 0.1}),
        (CHAT, {"store": True}),
        (MESSAGES, {"container": "container_1"}),
        (COUNTING, {}),
    ],
)
def test_what_the_provider_keeps_and_what_is_free_has_no_key(dialect: Dialect, fields: dict[str, Any]) -> None:
    assert key(dialect=dialect, **fields) == b""


@pytest.mark.parametrize(
    ("dialect", "fields"),
    [
        (RESPONSES, {"store": False, "background": False, "previous_response_id": None, "conversation": None}),
        (CHAT, {"store": False}),
        (CHAT, {"store": None}),
        (MESSAGES, {"container": None}),
    ],
)
def test_what_nobody_keeps_has_one(dialect: Dialect, fields: dict[str, Any]) -> None:
    assert len(key(dialect=dialect, **fields)) == 32


def test_headers_that_shape_no_answer_make_no_other_question() -> None:
    assert key(headers=[*VERSION, (b"user-agent", b"a"), (b"idempotency-key", b"b")]) == key()


@pytest.mark.parametrize(
    "other",
    [
        {"workspace": "other"},
        {"dialect": Dialect.OPENAI_CHAT},
        {"model": "claude-opus"},
        {"system": "Be brief."},
        {"tools": [{"name": "weather"}]},
        {"messages": [{"role": "user", "content": "hello"}]},
        {"max_tokens": 1},
        {"temperature": 0},
        {"top_p": 0.5},
        {"a_field_of_tomorrow": None},
        {"headers": [(b"anthropic-version", b"2026-10-21")]},
        {"headers": [*VERSION, (b"anthropic-beta", b"files")]},
        {"headers": [*VERSION, (b"openai-beta", b"x")]},
        {"headers": []},
        {"query": "beta=true"},
    ],
)
def test_whatever_shapes_an_answer_makes_another_question(other: dict[str, Any]) -> None:
    assert key(**other) != key()


@pytest.mark.parametrize("other", [{"system": "Be brief."}, {"max_tokens": 1}, {"tools": LONG}, {"query": "beta=true"}])
def test_whatever_shapes_the_answer_to_a_large_body_makes_another_question(other: dict[str, Any]) -> None:
    assert key(messages=LONG, **other) != key(messages=LONG)
    assert key(messages=LONG, **other) == key(messages=LONG, **other, metadata={"user_id": "u1"})


@pytest.mark.parametrize("temperature", [0.01, 1, 2])
def test_a_temperature_above_zero_has_no_key(temperature: float) -> None:
    assert key(temperature=temperature) == b""


@pytest.mark.parametrize("temperature", [0, 0.0, -0.0, None])
def test_a_temperature_of_zero_has_one(temperature: float | None) -> None:
    assert len(key(temperature=temperature)) == 32


@pytest.mark.parametrize("temperature", ["1", True, [], {}])
def test_a_temperature_of_another_type_is_refused(temperature: Any) -> None:
    with pytest.raises(MalformedRequest, match="temperature: must be a number"):
        key(temperature=temperature)


# short names and values of the same few letters, so that joined parts run into one another if they can
names = st.text(alphabet='a1:,"', max_size=3).filter(lambda name: name != "temperature")
json_values = st.recursive(
    st.none() | st.integers(0, 12) | st.text(alphabet='a1:,"', max_size=3), lambda inner: st.lists(inner, max_size=2)
)
field_lists = st.dictionaries(names, json_values, max_size=3)
header_lists = st.lists(
    st.tuples(st.sampled_from([b"anthropic-version", b"anthropic-beta"]), st.sampled_from([b"", b"a", b"1:", b"a:1"])),
    max_size=2,
)


questions = st.tuples(field_lists, header_lists, names)


@given(questions, questions)
def test_no_two_different_questions_share_a_key(one: Any, other: Any) -> None:
    assert (key_of(*one) == key_of(*other)) == (one == other)


@given(questions, questions)
def test_no_two_different_large_questions_share_a_key(one: Any, other: Any) -> None:
    with patch("tollway_edge.domain.fingerprint._LARGE", 0):
        assert (key_of(*one) == key_of(*other)) == (one == other)


def key_of(fields: Any, headers: Headers, workspace: str) -> bytes:
    forwarded = Forwarded.of(headers)
    call = Call(MESSAGES, WIRES[MESSAGES], b"", forwarded, workspace=Workspace(workspace))
    return exact_key(call, RequestBody.parse(json.dumps(fields).encode()))
