"""Which conversation a request belongs to: the client's own id of it, or how it began."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from tollway_dialects.conversation import conversation_of
from tollway_dialects.dialect import Dialect
from tollway_dialects.request import MalformedRequest, RequestBody

ANTHROPIC, OPENAI = Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT
RESPONSES, EMBEDDINGS = Dialect.OPENAI_RESPONSES, Dialect.OPENAI_EMBEDDINGS
MARK = {"cache_control": {"type": "ephemeral"}}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def text(said: str, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": said, **fields}


def of(dialect: Dialect, workspace: str = "acme", **fields: Any) -> bytes:
    return conversation_of(RequestBody.parse(json.dumps({"model": "m", **fields}).encode()), dialect, workspace)


def hash_of(*messages: Any, workspace: str = "acme", **fields: Any) -> bytes:
    return of(ANTHROPIC, workspace, **fields, messages=messages)


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


def test_of_a_long_part_only_its_beginning_counts() -> None:
    begin = "x" * 20_000
    assert hash_of(user(begin + "one")) == hash_of(user(begin + "two")) != hash_of(user("y" + begin))


def test_a_workspace_never_runs_into_the_system_that_follows_it() -> None:
    odd = 'atype"text"text"b"'
    assert hash_of(user("x"), workspace="a", system="b") != hash_of(user("x"), workspace=odd)


@pytest.mark.parametrize(
    "messages", [b"[7, null]", b'[{"role": 7}]', b'[{"content": "x"}]', b'[{"role":"user","content":[7]}]', b"[]"]
)
def test_odd_messages_are_left_for_the_provider_to_judge(messages: bytes) -> None:
    assert len(conversation_of(RequestBody.parse(b'{"messages": %s}' % messages), ANTHROPIC, "acme")) == 32


@pytest.mark.parametrize(("raw", "message"), [(b"{}", "Field required"), (b'{"messages": "secret"}', "must be a list")])
def test_a_request_without_a_list_of_messages_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(MalformedRequest, match=f"^messages: {message}$"):
        conversation_of(RequestBody.parse(raw), ANTHROPIC, "acme")


# --- Responses and embeddings


def test_every_turn_of_a_response_has_the_same_hash_whichever_form_the_input_has() -> None:
    first = of(RESPONSES, instructions="be kind", input="hello")
    items = [user("hello"), {"type": "reasoning", "summary": []}, assistant("hi"), user("more")]
    assert first == of(RESPONSES, instructions="be kind", input=items[:1])
    assert first == of(RESPONSES, instructions="be kind", input=items)
    assert first == of(RESPONSES, instructions="be kind", input=[user([{"type": "input_text", "text": "hello"}])])
    others = [
        of(RESPONSES, instructions="be brief", input="hello"),
        of(RESPONSES, instructions="be kind", input="hello!"),
        of(RESPONSES, input="hello"),
        of(RESPONSES),
        of(RESPONSES, "other", instructions="be kind", input="hello"),
    ]
    assert len({first, *others}) == 6


def test_a_response_without_input_goes_on_from_what_is_kept() -> None:
    assert len(of(RESPONSES, previous_response_id="resp_1")) == len(of(RESPONSES, input=None)) == 32


@pytest.mark.parametrize("value", [7, {"secret": 1}, True])
def test_an_input_of_another_type_is_refused(value: Any) -> None:
    with pytest.raises(MalformedRequest, match=r"^input: must be a list$"):
        of(RESPONSES, input=value)


def test_embeddings_of_different_input_spread() -> None:
    hashes = {of(EMBEDDINGS, input=value) for value in ("a", "b", ["a"], [1, 2], None)}
    assert len(hashes) == 5
    assert of(EMBEDDINGS, input="a") == of(EMBEDDINGS, input="a", user="u")


# --- ids that clients give


def claude_code(session: str) -> dict[str, Any]:
    return {"user_id": json.dumps({"device_id": "d" * 64, "account_uuid": "", "session_id": session})}


def old_claude_code(session: str) -> dict[str, Any]:
    return {"user_id": f"user_{'0' * 64}_account_4e1c_session_{session}"}


@pytest.mark.parametrize("dialect", [ANTHROPIC, Dialect.ANTHROPIC_COUNT_TOKENS])
def test_claude_codes_session_is_the_conversation_in_both_its_forms(dialect: Dialect) -> None:
    def session(metadata: Any, said: str) -> bytes:
        return of(dialect, messages=[user(said)], metadata=metadata)

    assert session(claude_code("a-1"), "x") == session(claude_code("a-1"), "another start")
    assert session(claude_code("a-1"), "x") == session(old_claude_code("a-1"), "y")
    assert session(claude_code("a-1"), "x") != session(claude_code("a-2"), "x")


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {},
        {"user_id": None},
        {"user_id": "session"},
        {"user_id": 7, "x": "session"},
        {"user_id": '{"session_id"'},
        {"user_id": '{"session_id": 7}'},
        {"user_id": '{"session_id": ""}'},
        {"user_id": "[" * 5000 + "session"},
        "session",
    ],
)
def test_metadata_without_a_session_leaves_the_hash(metadata: Any) -> None:
    assert of(ANTHROPIC, messages=[user("x")], metadata=metadata) == of(ANTHROPIC, messages=[user("x")])


def test_openais_ids_are_the_conversation() -> None:
    def chat(**fields: Any) -> bytes:
        return of(OPENAI, messages=[user(str(fields))], **fields)

    def response(**fields: Any) -> bytes:
        return of(RESPONSES, input=str(fields), **fields)

    keyed = chat(prompt_cache_key="k", n=1)
    assert keyed == chat(prompt_cache_key="k", n=2) == response(prompt_cache_key="k")
    assert keyed != chat(prompt_cache_key="l")
    kept = response(conversation="c")
    assert kept == response(conversation={"id": "c"}) == response(conversation="c", prompt_cache_key="k")
    assert kept != response(conversation="d")


@pytest.mark.parametrize("fields", [{"prompt_cache_key": 7}, {"prompt_cache_key": ""}, {"prompt_cache_key": None}])
def test_a_key_that_is_none_leaves_the_hash(fields: dict[str, Any]) -> None:
    assert of(OPENAI, messages=[user("x")], **fields) == of(OPENAI, messages=[user("x")])
    assert of(RESPONSES, input="x", conversation=7, **fields) == of(RESPONSES, input="x")


def test_equal_ids_of_two_workspaces_are_two_conversations_and_none_is_another_ones_hash() -> None:
    one, other = (of(OPENAI, workspace, messages=[], prompt_cache_key="k") for workspace in ("acme", "other"))
    assert one != other
    assert of(OPENAI, "a", messages=[], prompt_cache_key="b,c") != of(OPENAI, "a,b", messages=[], prompt_cache_key="c")


@pytest.mark.parametrize("depth", [500, 900, 990, 10_000])
@pytest.mark.parametrize("dialect", Dialect)
def test_deep_nesting_is_refused_or_passes(dialect: Dialect, depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    for field in (b"messages", b"input", b"system", b"instructions", b"metadata", b"prompt_cache_key", b"conversation"):
        for value in (deep, b'[{"role":"user","content":%s}]' % deep, b'[{"role":"user","content":[{"x":%s}]}]' % deep):
            required = b'"messages":[],' if field != b"messages" else b""
            with suppress(MalformedRequest):
                body = RequestBody.parse(b'{%s"%s":%s}' % (required, field, value))
                assert len(conversation_of(body, dialect, "acme")) == 32
