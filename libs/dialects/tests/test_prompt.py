"""What is read of a prompt, and a system text put before one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.prompt import PromptFeatures, prepend_system, prompt_features
from tollway_dialects.request import MalformedRequest, RequestBody

ANTHROPIC, OPENAI = Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT
RESPONSES, EMBEDDINGS = Dialect.OPENAI_RESPONSES, Dialect.OPENAI_EMBEDDINGS


def body(*messages: Any, **fields: Any) -> RequestBody:
    return RequestBody.parse(json.dumps({"model": "m", **fields, "messages": messages}).encode())


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def text(said: str, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": said, **fields}


def features_of(body: RequestBody, dialect: Dialect = ANTHROPIC) -> PromptFeatures:
    return prompt_features(body, dialect)


# --- features


def test_features_of_a_plain_prompt() -> None:
    assert features_of(body(user("hello"))) == PromptFeatures("hello", 1, 0, False, False)


def test_the_text_of_all_parts_of_the_last_user_message_is_read() -> None:
    messages = user("first"), assistant("yes?"), user([text("a"), {"type": "image", "source": {}}, text("b")])
    features = features_of(body(*messages, tools=[{"name": "x"}, {"name": "y"}]))
    assert features == PromptFeatures("a\nb", 3, 2, True, False)


def test_a_turn_of_tool_results_is_judged_by_the_question_before_it() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": [text("27 degrees")]}
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {}}
    features = features_of(body(user("how warm?"), assistant([call]), user([result])))
    assert (features.last_user_text, features.turn_count) == ("how warm?", 3)
    openai_call = {"role": "assistant", "content": None, "tool_calls": [{"id": "t"}]}
    openai = body(user("how warm?"), openai_call, {"role": "tool", "content": "27", "tool_call_id": "t"})
    assert features_of(openai, OPENAI).last_user_text == "how warm?"


@pytest.mark.parametrize("kind", ["image", "image_url", "document", "file"])
def test_a_picture_anywhere_in_a_user_message_counts(kind: str) -> None:
    assert features_of(body(user([{"type": kind}]), assistant("nice"), user("more"))).has_images
    assert not features_of(body(user([text("x")]), assistant([{"type": kind}]))).has_images


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, True),
        ({"thinking": {"type": "adaptive"}}, True),
        ({"thinking": {"type": "disabled"}}, False),
        ({"thinking": None}, False),
        ({"reasoning_effort": "high"}, True),
        ({"reasoning_effort": "none"}, False),
        ({"reasoning_effort": None}, False),
        ({}, False),
    ],
)
def test_thinking_is_wanted_where_it_is_asked_for(fields: dict[str, Any], expected: bool) -> None:
    assert features_of(body(user("x"), **fields)).wants_thinking is expected


def test_a_prompt_without_user_messages_has_no_text() -> None:
    assert features_of(body({"role": "system", "content": "x"})).last_user_text == ""
    assert features_of(RequestBody.parse(b"{}")) == PromptFeatures("", 0, 0, False, False)


@pytest.mark.parametrize("messages", ["secret", [7], [{"role": ["secret"]}], [user([text("x", type=7)])]])
def test_messages_of_another_shape_are_refused_without_quoting_them(messages: Any) -> None:
    with pytest.raises(MalformedRequest) as error:
        features_of(RequestBody.parse(json.dumps({"messages": messages}).encode()))
    assert str(error.value).startswith("messages: ")
    assert "secret" not in str(error.value)


def asked(value: Any, **fields: Any) -> RequestBody:
    return RequestBody.parse(json.dumps({"model": "m", **fields, "input": value}).encode())


def test_the_input_of_a_response_is_what_the_user_says() -> None:
    assert features_of(asked("hello"), RESPONSES) == PromptFeatures("hello", 1, 0, False, False)
    items = [
        user("first"),
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "yes?"}]},
        user([{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "u"}]),
        {"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "27"},
    ]
    thinking = asked(items, reasoning={"effort": "high"}, tools=[{"type": "function", "name": "n"}])
    assert features_of(thinking, RESPONSES) == PromptFeatures("a", 6, 1, True, True)


@pytest.mark.parametrize("effort", [None, "none"])
def test_a_response_that_shall_not_be_thought_over_is_not(effort: str | None) -> None:
    assert not features_of(asked("x", reasoning={"effort": effort}), RESPONSES).wants_thinking


def test_what_is_embedded_or_kept_by_the_provider_is_no_prompt() -> None:
    nothing = PromptFeatures("", 0, 0, False, False)
    for value in ("x", ["x", "y"], [1, 2], [[1], [2]]):
        assert features_of(asked(value), EMBEDDINGS) == nothing
    assert features_of(RequestBody.parse(b'{"conversation": "c"}'), RESPONSES) == nothing


def test_input_of_another_shape_is_refused_without_quoting_it() -> None:
    with pytest.raises(MalformedRequest, match=r"^input: must be of another type$"):
        features_of(asked({"secret": 1}), RESPONSES)


# --- prepending a system text

RAW = b'{"messages":[ {"role":"user", "content":"\\u00fc"} ], "system":%s}'


def test_a_text_goes_before_a_system_text() -> None:
    changed = RequestBody.parse(RAW % b'"\\u00fcber"')
    prepend_system(changed, ANTHROPIC, "Be kind.")
    assert changed.get("system", str) == "Be kind.\n\nüber"
    assert b'[ {"role":"user", "content":"\\u00fc"} ]' in changed.raw
    assert changed.changes == ["prompt"]


def test_a_text_goes_before_system_blocks_which_keep_their_bytes() -> None:
    blocks = b'[{"type": "text", "text":"\\u00fc","cache_control":{"type":"ephemeral"}}, {"type":"text","text":"y"}]'
    changed = RequestBody.parse(RAW % blocks)
    prepend_system(changed, ANTHROPIC, "Be kind.")
    assert json.loads(changed.raw)["system"] == [text("Be kind."), *json.loads(blocks)]
    assert b'{"type": "text", "text":"\\u00fc","cache_control":{"type":"ephemeral"}}' in changed.raw


@pytest.mark.parametrize("system", [b"null", b'""'])
def test_a_text_stands_alone_where_there_was_no_system(system: bytes) -> None:
    changed = RequestBody.parse(RAW % system)
    prepend_system(changed, ANTHROPIC, "Be kind.")
    assert changed.get("system", str) == "Be kind."
    absent = body(user("x"))
    prepend_system(absent, ANTHROPIC, "Be kind.")
    assert absent.get("system", str) == "Be kind."


def test_a_system_of_another_type_is_refused() -> None:
    with pytest.raises(MalformedRequest, match=r"^system: "):
        prepend_system(RequestBody.parse(RAW % b"7"), ANTHROPIC, "Be kind.")


def test_in_openai_a_system_message_goes_first_and_the_others_keep_their_bytes() -> None:
    changed = RequestBody.parse(
        b'{"messages":[{"role":"system","content":"old"},{"role":"user", "content":"\\u00fc"}]}'
    )
    prepend_system(changed, OPENAI, "Be kind.")
    assert [message["content"] for message in json.loads(changed.raw)["messages"]] == ["Be kind.", "old", "ü"]
    assert b'{"role":"user", "content":"\\u00fc"}' in changed.raw
    assert changed.changes == ["prompt"]


@pytest.mark.parametrize(
    ("own", "joined"), [(..., "Be kind."), (None, "Be kind."), ("", "Be kind."), ("Be brief.", "Be kind.\n\nBe brief.")]
)
def test_in_responses_a_text_goes_before_the_instructions(own: Any, joined: str) -> None:
    changed = asked("x") if own is ... else asked("x", instructions=own)
    prepend_system(changed, RESPONSES, "Be kind.")
    assert json.loads(changed.raw) == {"model": "m", "instructions": joined, "input": "x"}


def test_in_responses_a_system_item_goes_before_instructions_that_are_items() -> None:
    changed = asked("x", instructions=[{"role": "developer", "content": "old"}])
    prepend_system(changed, RESPONSES, "Be kind.")
    assert json.loads(changed.raw)["instructions"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "developer", "content": "old"},
    ]


def test_nothing_goes_before_what_is_embedded() -> None:
    with pytest.raises(MalformedRequest, match=r"^prompt: "):
        prepend_system(asked("x"), EMBEDDINGS, "Be kind.")


@pytest.mark.parametrize("dialect", [ANTHROPIC, OPENAI, RESPONSES])
def test_the_change_is_noted_under_the_name_that_is_given(dialect: Dialect) -> None:
    changed = asked("x", messages=[user("x")])
    prepend_system(changed, dialect, "Be kind.", "system_prompt")
    assert changed.changes == ["system_prompt"]
