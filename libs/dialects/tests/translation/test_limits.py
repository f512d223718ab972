"""What a target cannot say is dropped and listed, or refused; what it can say arrives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.request import MalformedRequest
from tollway_dialects.translation.errors import Untranslatable
from tollway_dialects.translation.features import Feature
from tollway_dialects.translation.limits import DROPS, REFUSES, WHY

DIALECTS = {
    "anthropic": Dialect.ANTHROPIC_MESSAGES,
    "chat": Dialect.OPENAI_CHAT,
    "responses": Dialect.OPENAI_RESPONSES,
    "gemini": Dialect.GEMINI,
}
BASES: dict[str, dict[str, Any]] = {
    "anthropic": {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "?"}]},
    "chat": {"model": "m", "messages": [{"role": "user", "content": "?"}]},
    "responses": {"model": "m", "input": "?"},
}


def user(client: str, part: Any) -> dict[str, Any]:
    return {"input" if client == "responses" else "messages": [{"role": "user", "content": [part]}]}


def assistant(part: Any) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "assistant", "content": [part, {"type": "text", "text": "x"}]},
            {"role": "user", "content": "?"},
        ]
    }


def tool(**fields: Any) -> dict[str, Any]:
    return {"tools": [{"name": "t", "input_schema": {"type": "object"}, **fields}]}


def document(**fields: Any) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0x"}
    return user("anthropic", {"type": "document", "source": source, **fields})


MARK = {"type": "ephemeral", "ttl": "mark"}
URL, CSV = "https://mark/x", "data:application/mark;base64,AAAA"
# feature -> a client that can say it, how it does, and what of that is found wherever it arrives
SAID: dict[Feature, tuple[str, dict[str, Any], str]] = {
    Feature.TEMPERATURE: ("chat", {"temperature": 0.4321}, "4321"),
    Feature.TOP_P: ("chat", {"top_p": 0.4321}, "4321"),
    Feature.TOP_K: ("anthropic", {"top_k": 4321}, "4321"),
    Feature.SEED: ("chat", {"seed": 4321}, "4321"),
    Feature.FREQUENCY_PENALTY: ("chat", {"frequency_penalty": 0.4321}, "4321"),
    Feature.PRESENCE_PENALTY: ("chat", {"presence_penalty": 0.4321}, "4321"),
    Feature.LOGIT_BIAS: ("chat", {"logit_bias": {"4321": 1}}, "4321"),
    Feature.LOGPROBS: ("chat", {"logprobs": True}, "logprobs"),
    Feature.TOP_LOGPROBS: ("chat", {"top_logprobs": 4321}, "4321"),
    Feature.CHOICES: ("chat", {"n": 4321}, "4321"),
    Feature.STOP: ("chat", {"stop": ["mark"]}, "mark"),
    Feature.STOP_BEYOND_FOUR: ("anthropic", {"stop_sequences": ["a", "b", "c", "d", "mark"]}, "mark"),
    Feature.PARALLEL_TOOL_CALLS: (
        "anthropic",
        tool() | {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        "parallel",
    ),
    Feature.STRICT_TOOLS: (
        "anthropic",
        tool(strict=True, input_schema={"type": "object", "additionalProperties": False}),
        '"strict":true',
    ),
    Feature.OPEN_SCHEMA: ("anthropic", tool(strict=True), '"strict":true'),
    Feature.JSON_OBJECT: ("chat", {"response_format": {"type": "json_object"}}, "json"),
    Feature.END_USER: ("chat", {"safety_identifier": "mark"}, "mark"),
    Feature.CACHE_CONTROL: ("anthropic", {"cache_control": MARK}, "mark"),
    Feature.CITATIONS: ("anthropic", document(citations={"enabled": True}), "enabled"),
    Feature.DOCUMENT_CONTEXT: ("anthropic", document(context="mark"), "mark"),
    Feature.DOCUMENT_URL: ("responses", user("responses", {"type": "input_file", "file_url": URL}), URL),
    Feature.DOCUMENT_KIND: ("chat", user("chat", {"type": "file", "file": {"file_data": CSV}}), "application/mark"),
    Feature.DOCUMENT_NAME: ("anthropic", document(title="mark"), "mark"),
    Feature.SEARCH_RESULT: (
        "anthropic",
        user("anthropic", {"type": "search_result", "title": "t", "source": "s", "content": []}),
        "search_result",
    ),
    Feature.IMAGE_URL: ("chat", user("chat", {"type": "image_url", "image_url": {"url": URL}}), URL),
    Feature.IMAGE_DETAIL: (
        "responses",
        user("responses", {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "mark"}),
        "mark",
    ),
    Feature.ANTHROPIC_FILE: (
        "anthropic",
        user("anthropic", {"type": "image", "source": {"type": "file", "file_id": "mark"}}),
        "mark",
    ),
    Feature.OPENAI_FILE: ("chat", user("chat", {"type": "file", "file": {"file_id": "mark"}}), "mark"),
    Feature.ANTHROPIC_THINKING: (
        "anthropic",
        assistant({"type": "thinking", "thinking": "x", "signature": "mark"}),
        "mark",
    ),
    Feature.CHAT_THINKING: (
        "anthropic",
        assistant({"type": "thinking", "thinking": "mark", "signature": "tollway:openai::"}),
        "mark",
    ),
    Feature.RESPONSES_THINKING: (
        "anthropic",
        assistant({"type": "thinking", "thinking": "", "signature": "tollway:openai_responses:r:mark"}),
        "mark",
    ),
    Feature.GEMINI_THINKING: (
        "anthropic",
        assistant({"type": "thinking", "thinking": "", "signature": "tollway:gemini::mark"}),
        "mark",
    ),
    Feature.ANTHROPIC_TOOLS: (
        "anthropic",
        assistant({"type": "server_tool_use", "id": "mark", "name": "web_search", "input": {}}),
        "mark",
    ),
    Feature.RESPONSES_TOOLS: (
        "responses",
        {"input": [{"type": "web_search_call", "id": "mark"}, {"role": "user", "content": "?"}]},
        "mark",
    ),
    Feature.SPEAKER_NAME: ("chat", {"messages": [{"role": "user", "name": "mark", "content": "?"}]}, "mark"),
    Feature.PHASE: (
        "responses",
        {"input": [{"role": "assistant", "phase": "mark", "content": "x"}, {"role": "user", "content": "?"}]},
        "mark",
    ),
    Feature.BILLING_HEADER: ("anthropic", {"system": "x-anthropic-billing-header: mark"}, "mark"),
    Feature.SHOWN_THINKING: (
        "responses",
        {"reasoning": {"effort": "low", "summary": "auto"}},
        '"display":"summarized"|"summary":"auto"|"includeThoughts":true',
    ),
}
# who drops the one has dropped the other
PART_OF = {Feature.STOP_BEYOND_FOUR: Feature.STOP, Feature.OPEN_SCHEMA: Feature.STRICT_TOOLS}
FATES = [(feature, target) for feature in SAID for target in DIALECTS if target != SAID[feature][0]]


def test_every_feature_is_said_once() -> None:
    assert set(SAID) == set(Feature)


def test_every_refusal_says_why_and_what_is_refused_is_not_dropped_too() -> None:
    assert set(WHY) == frozenset().union(*REFUSES.values())
    assert all(not (DROPS[dialect] & REFUSES[dialect]) for dialect in DROPS)


@pytest.mark.parametrize(("feature", "target"), FATES)
def test_each_target_says_refuses_or_drops_it(ask: Any, feature: Feature, target: str) -> None:
    client, said, found = SAID[feature]
    body = BASES[client] | said
    model = {"thinking": frozenset({"adaptive"}), "efforts": ("low",), "wants_reasoning_content": True}
    dialect = DIALECTS[target]
    if feature in REFUSES[dialect]:
        with pytest.raises(Untranslatable) as refusal:
            ask(client, target, body, **model)
        assert str(refusal.value).endswith(WHY[feature])
        return
    asked = ask(client, target, body, **model)
    told = [mark for mark in found.split("|") if mark in asked.body.decode()]
    if {feature, PART_OF.get(feature)} & DROPS[dialect]:
        assert len(asked.dropped) == 1
        assert told == []
    else:
        assert asked.dropped == ()
        assert len(told) == 1


@pytest.mark.parametrize(
    ("client", "said", "field"),
    [
        ("chat", {"n": 2}, "n"),
        ("chat", {"response_format": {"type": "json_object"}}, "response_format"),
        ("responses", {"text": {"format": {"type": "json_object"}}}, "text.format"),
        ("chat", SAID[Feature.OPENAI_FILE][1], "messages"),
        ("responses", {"previous_response_id": "resp_1"}, "previous_response_id"),
        ("responses", {"background": True}, "background"),
        ("responses", {"tools": [{"type": "web_search"}]}, "tools.0.type"),
        ("responses", {"input": [{"type": "item_reference", "id": "x"}]}, "input.0.type"),
        ("chat", {"modalities": ["text", "audio"]}, "modalities"),
        ("chat", {"functions": [{"name": "f"}]}, "functions"),
        ("chat", {"web_search_options": {}}, "web_search_options"),
        ("chat", {"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools.0.type"),
        ("chat", {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages.0.content.0.type"),
        ("chat", {"messages": "x"}, "messages"),
        ("chat", {"messages": [7]}, "messages.0"),
        ("chat", {"messages": None}, "messages"),
        ("chat", {"model": None}, "model"),
        ("chat", {"temperature": "hot"}, "temperature"),
        (
            "chat",
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "x", "type": "function"}]}]},
            "messages.0.tool_calls.0.function",
        ),
    ],
)
def test_a_refusal_names_the_field_in_the_clients_words(ask: Any, client: str, said: Any, field: str) -> None:
    with pytest.raises(Untranslatable) as refusal:
        ask(client, "anthropic", BASES[client] | said)
    assert refusal.value.field == field
    assert isinstance(refusal.value, MalformedRequest)


@pytest.mark.parametrize(
    ("role", "block"),
    [
        ("user", {"type": "tool_use", "id": "t", "name": "f", "input": {}}),
        ("user", {"type": "thinking", "thinking": "x", "signature": "s"}),
        ("user", {"type": "tomorrow"}),
        ("user", {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "tool_result", "tool_use_id": "u"}]}),
        ("assistant", {"type": "tool_result", "tool_use_id": "t"}),
        ("assistant", {"type": "image", "source": {"type": "url", "url": URL}}),
        ("system", {"type": "image", "source": {"type": "url", "url": URL}}),
    ],
)
def test_a_block_where_none_of_its_kind_belongs_is_refused(ask: Any, role: str, block: dict[str, Any]) -> None:
    with pytest.raises(Untranslatable, match=r"messages.0.content.0[\w.]*type: '\w+' has no equivalent"):
        ask("anthropic", "chat", BASES["anthropic"] | {"messages": [{"role": role, "content": [block]}]})


def test_a_document_of_text_is_one_for_anthropic_and_what_is_none_is_refused(ask: Any) -> None:
    file = {"type": "file", "file": {"file_data": "data:text/plain;base64,w6k="}}
    body = json.loads(ask("chat", "anthropic", BASES["chat"] | user("chat", file)).body)
    source = body["messages"][0]["content"][0]["source"]
    assert source == {"type": "text", "media_type": "text/plain", "data": "é"}
    for broken in ("//8=", "w6k", "?"):
        file["file"] = {"file_data": f"data:text/plain;base64,{broken}"}
        with pytest.raises(Untranslatable, match="messages: a document must be a PDF or a text"):
            ask("chat", "anthropic", BASES["chat"] | user("chat", file))


@pytest.mark.parametrize(
    "arguments", ["{", "[]", "7", '"x"', '{"a":1} x', "[" * 5000], ids=["cut", "list", "number", "text", "more", "deep"]
)
def test_arguments_that_are_no_object_are_refused_without_being_quoted(ask: Any, arguments: str) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "t", "arguments": arguments}}
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "tool_calls": [call]}]
    with pytest.raises(Untranslatable) as refusal:
        ask("chat", "anthropic", {"model": "m", "messages": messages})
    assert str(refusal.value) == "messages.1.tool_calls.0.function.arguments: must be a JSON object"


@pytest.mark.parametrize("target", ["chat", "responses", "gemini"])
def test_what_is_unknown_is_listed_where_it_stood_and_never_passed_on(ask: Any, target: str) -> None:
    body = BASES["anthropic"] | {"speed": "fast", "odd\nname": 1} | tool(defer_loading=True)
    body["messages"] = [{"role": "user", "content": [{"type": "text", "text": "?", "tomorrow": 1}], "later": 2}]
    asked = ask("anthropic", target, body)
    assert set(asked.dropped) == {
        *("messages.content.tomorrow", "messages.later", "tools.defer_loading", "speed", "a field")
    }
    assert b"tomorrow" not in asked.body


@pytest.mark.parametrize("raw", [b"", b"[]", b"7", b"{", b"\xff", b"[" * 100_000])
@pytest.mark.parametrize("client", ["anthropic", "chat", "responses"])
def test_what_is_no_request_is_refused(ask: Any, client: str, raw: bytes) -> None:
    with pytest.raises(MalformedRequest):
        ask(client, "gemini", raw)


def test_ids_that_a_dialect_refuses_become_others_for_call_and_result_alike(ask: Any) -> None:
    ids = ["fine_1", "a:b", "x" * 65, "a:c", "é"]
    calls = [{"id": each, "type": "function", "function": {"name": "t", "arguments": "{}"}} for each in ids]
    results = [{"role": "tool", "tool_call_id": each, "content": "x"} for each in ids]
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "tool_calls": calls}, *results]
    body = json.loads(ask("chat", "anthropic", {"model": "m", "messages": messages}).body)
    called = [block["id"] for block in body["messages"][1]["content"]]
    assert called == [block["tool_use_id"] for block in body["messages"][2]["content"]]
    assert called[0] == "fine_1"
    assert len(set(called)) == len(ids)
    assert all(len(each) <= 64 and each.replace("_", "").isalnum() and each.isascii() for each in called)
