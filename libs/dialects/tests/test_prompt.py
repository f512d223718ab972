"""What is read of a prompt, a conversation's hash, and a system text put before one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.prompt import PromptFeatures, conversation_hash, prepend_system, prompt_features
from tollway_dialects.request import MalformedRequest, RequestBody

ANTHROPIC, OPENAI = Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT
MARK = {"cache_control": {"type": "ephemeral"}}


def body(*messages: Any, **fields: Any) -> RequestBody:
    return RequestBody.parse(json.dumps({"model": "m", **fields, "messages": messages}).encode())


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def text(said: str, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": said, **fields}


def hash_of(*messages: Any, workspace: str = "acme", **fields: Any) -> bytes:
    return conversation_hash(body(*messages, **fields), workspace)


# --- features


def test_features_of_a_plain_prompt() -> None:
    assert prompt_features(body(user("hello"))) == PromptFeatures("hello", 1, 0, False, False)


def test_the_text_of_all_parts_of_the_last_user_message_is_read() -> None:
    messages = user("first"), assistant("yes?"), user([text("a"), {"type": "image", "source": {}}, text("b")])
    features = prompt_features(body(*messages, tools=[{"name": "x"}, {"name": "y"}]))
    assert features == PromptFeatures("a\nb", 3, 2, True, False)


def test_a_turn_of_tool_results_is_judged_by_the_question_before_it() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": [text("27 degrees")]}
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {}}
    features = prompt_features(body(user("how warm?"), assistant([call]), user([result])))
    assert (features.last_user_text, features.turn_count) == ("how warm?", 3)
    openai_call = {"role": "assistant", "content": None, "tool_calls": [{"id": "t"}]}
    openai = body(user("how warm?"), openai_call, {"role": "tool", "content": "27", "tool_call_id": "t"})
    assert prompt_features(openai).last_user_text == "how warm?"


@pytest.mark.parametrize("kind", ["image", "image_url", "document", "file"])
def test_a_picture_anywhere_in_a_user_message_counts(kind: str) -> None:
    assert prompt_features(body(user([{"type": kind}]), assistant("nice"), user("more"))).has_images
    assert not prompt_features(body(user([text("x")]), assistant([{"type": kind}]))).has_images


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
    assert prompt_features(body(user("x"), **fields)).wants_thinking is expected


def test_a_prompt_without_user_messages_has_no_text() -> None:
    assert prompt_features(body({"role": "system", "content": "x"})).last_user_text == ""
    assert prompt_features(RequestBody.parse(b"{}")) == PromptFeatures("", 0, 0, False, False)


@pytest.mark.parametrize("messages", ["secret", [7], [{"role": ["secret"]}], [user([text("x", type=7)])]])
def test_messages_of_another_shape_are_refused_without_quoting_them(messages: Any) -> None:
    with pytest.raises(MalformedRequest) as error:
        prompt_features(RequestBody.parse(json.dumps({"messages": messages}).encode()))
    assert str(error.value).startswith("messages: ")
    assert "secret" not in str(error.value)


# --- conversation hash

SYSTEM = [text("You are kind", **MARK)]
FIRST = user([text("context"), text("hello")])
TURNS = [assistant([text("hi")]), user('say "user"'), assistant("user"), user([text("bye")])]


@pytest.mark.parametrize("turns", range(len(TURNS) + 1))
def test_every_turn_of_a_conversation_has_the_same_hash(turns: int) -> None:
    assert hash_of(FIRST, *TURNS[:turns], system=SYSTEM) == hash_of(FIRST, system=SYSTEM)
    openai_first = {"role": "developer", "content": "be kind"}, user("hello")
    assert hash_of(*openai_first, *TURNS[:turns]) == hash_of(*openai_first)


def test_a_cache_mark_that_moves_on_leaves_the_hash_as_it_was() -> None:
    first_turn = user([text("context"), text("hello", **MARK)])
    later = hash_of(FIRST, assistant("hi"), user([text("and?", **MARK)]), system=SYSTEM)
    assert hash_of(first_turn, system=SYSTEM) == later


def test_a_text_alone_and_in_a_list_are_the_same() -> None:
    assert hash_of(user("hello"), system="s") == hash_of(user([text("hello", **MARK)]), system=[text("s")])


def test_where_the_role_stands_and_what_stands_around_it_does_not_matter() -> None:
    long = "x" * 500
    turns = [{"content": f'{long} "user" {long}', "role": "assistant"}, {"content": long, "role": "user"}]
    roles_last = {"content": long, "name": '"user"', "role": "developer"}
    one = hash_of(roles_last, turns[1])
    assert one == hash_of(roles_last, turns[1], *turns)
    assert one != hash_of(roles_last, user(long + "!"))


def test_a_message_that_says_user_is_not_taken_for_the_first_of_the_user() -> None:
    system = {"role": "system", "content": '"user"'}
    assert hash_of(system, user("one")) != hash_of(system, user("two"))
    assert hash_of(assistant('"user"'), user("one")) != hash_of(assistant('"user"'), user("two"))


def test_the_block_that_claude_code_changes_from_start_to_start_is_left_out() -> None:
    def start(version: str) -> bytes:
        billing = text(f"x-anthropic-billing-header: cc_version={version}; cc_entrypoint=sdk-cli;")
        return hash_of(FIRST, system=[billing, *SYSTEM])

    assert start("2.1.329.e8c") == start("2.1.329.f01") == hash_of(FIRST, system=SYSTEM)


def test_conversations_workspaces_and_systems_differ() -> None:
    image = {"type": "image", "source": {"type": "base64", "data": "AAAA"}}
    hashes = [
        hash_of(user("hello")),
        hash_of(user("hello"), workspace="other"),
        hash_of(user("hello"), system="kind"),
        hash_of(user("hello!")),
        hash_of(user([text("hello"), image])),
        hash_of(user([text("hello"), image | {"source": {"type": "base64", "data": "BBBB"}}])),
        hash_of({"role": "system", "content": "kind"}, user("hello")),
        hash_of(user("")),
        hash_of(),
    ]
    assert len(set(hashes)) == len(hashes)
    assert all(len(each) == 32 for each in hashes)


def test_a_workspace_never_runs_into_the_system_that_follows_it() -> None:
    odd = 'atype"text"text"b"'
    assert hash_of(user("x"), workspace="a", system="b") != hash_of(user("x"), workspace=odd)


@pytest.mark.parametrize(
    "messages", [b"[7, null]", b'[{"role": 7}]', b'[{"content": "x"}]', b'[{"role":"user","content":[7]}]', b"[]"]
)
def test_odd_messages_are_left_for_the_provider_to_judge(messages: bytes) -> None:
    assert len(conversation_hash(RequestBody.parse(b'{"messages": %s}' % messages), "acme")) == 32


@pytest.mark.parametrize(("raw", "message"), [(b"{}", "field required"), (b'{"messages": "secret"}', "must be a list")])
def test_a_request_without_a_list_of_messages_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(MalformedRequest, match=f"^messages: {message}$"):
        conversation_hash(RequestBody.parse(raw), "acme")


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
