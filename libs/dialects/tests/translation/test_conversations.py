"""What an upstream signed comes back to it through a client of another dialect, and goes to nobody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parent / "golden"
TOOLS = [{"name": name, "input_schema": {"type": "object"}} for name in ("weather", "now")]


def next_request(client: str, told: bytes) -> dict[str, Any]:
    """The request after an answer that called tools: all of it, and the results."""
    answer = json.loads(told)
    if client == "anthropic":
        ids = [block["id"] for block in answer["content"] if block["type"] == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": each, "content": "x"} for each in ids]
        said = [{"role": "assistant", "content": answer["content"]}, {"role": "user", "content": results}]
        first = {"role": "user", "content": "?"}
        return {"model": "m", "max_tokens": 9000, "messages": [first, *said], "tools": TOOLS}
    if client == "chat":
        message = answer["choices"][0]["message"]
        results = [{"role": "tool", "tool_call_id": call["id"], "content": "x"} for call in message["tool_calls"]]
        return {"model": "m", "messages": [{"role": "user", "content": "?"}, message, *results]}
    calls = [item for item in answer["output"] if item["type"] == "function_call"]
    results = [{"type": "function_call_output", "call_id": call["call_id"], "output": "x"} for call in calls]
    return {"model": "m", "input": [{"role": "user", "content": "?"}, *answer["output"], *results]}


def asked_again(ask: Any, answer: Any, upstream: str, client: str, other: str = "", **model: Any) -> Any:
    told = answer(upstream, client).whole((GOLDEN / f"answers/tools/{upstream}/told.json").read_bytes())
    return ask(client, other or upstream, next_request(client, told), **model)


@pytest.mark.parametrize("client", ["anthropic", "chat"])
def test_reasoning_of_openai_comes_back_encrypted_as_it_was(ask: Any, answer: Any, client: str) -> None:
    asked = asked_again(ask, answer, "responses", client)
    items = json.loads(asked.body)["input"]
    thought = [item for item in items if item.get("type") == "reasoning"]
    if client == "chat":  # it has no place for it
        assert thought == []
        return
    text = "Two cities.\n\nOne call each."
    summary = [{"type": "summary_text", "text": text}]
    assert thought == [{"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": "gAAAAABo"}]
    assert asked.dropped == ()
    calls = [item["call_id"] for item in items if "call_id" in item]
    assert calls == ["call_01", "call_02", "call_01", "call_02"]


def test_thinking_of_anthropic_comes_back_through_responses_block_by_block(ask: Any, answer: Any) -> None:
    asked = asked_again(ask, answer, "anthropic", "responses")
    told = json.loads((GOLDEN / "answers/tools/anthropic/told.json").read_bytes())
    said = json.loads(asked.body)["messages"][1]["content"]
    assert said[:2] == told["content"][:2]
    assert [block["type"] for block in said] == [block["type"] for block in told["content"]]
    assert asked.dropped == ()


@pytest.mark.parametrize("client", ["anthropic", "responses"])
def test_a_signature_of_gemini_comes_back_on_the_call_that_had_it(ask: Any, answer: Any, client: str) -> None:
    asked = asked_again(ask, answer, "gemini", client)
    parts = json.loads(asked.body)["contents"][1]["parts"]
    assert parts[0] == {"text": "Two cities.", "thought": True}
    assert [part.get("thoughtSignature") for part in parts] == [None, None, "CpkBAbc=", None]
    assert "functionCall" in parts[2]


def test_calls_of_gemini_that_went_through_chat_get_the_documented_stand_in(ask: Any, answer: Any) -> None:
    asked = asked_again(ask, answer, "gemini", "chat")
    parts = json.loads(asked.body)["contents"][1]["parts"]
    signatures = [part.get("thoughtSignature") for part in parts]
    assert signatures == [None, "skip_thought_signature_validator", None]


@pytest.mark.parametrize("client", ["anthropic", "responses"])
def test_deepseek_gets_its_reasoning_back_in_turns_with_tools(ask: Any, answer: Any, client: str) -> None:
    asked = asked_again(ask, answer, "chat", client, wants_reasoning_content=True)
    assert json.loads(asked.body)["messages"][1]["reasoning_content"] == "Two cities."
    assert asked.dropped == ()
    of_another = asked_again(ask, answer, "gemini", client, "chat", wants_reasoning_content=True)
    assert json.loads(of_another.body)["messages"][1]["reasoning_content"] == ""
    openai = asked_again(ask, answer, "chat", client)
    assert "reasoning_content" not in json.loads(openai.body)["messages"][1]
    assert "reasoning_content" in openai.dropped


@pytest.mark.parametrize(
    ("upstream", "client", "other", "listed"),
    [
        ("responses", "anthropic", "gemini", "reasoning of OpenAI"),
        ("gemini", "anthropic", "responses", "thinking of Gemini"),
        ("gemini", "responses", "anthropic", "thinking of Gemini"),
        ("anthropic", "responses", "gemini", "thinking of Anthropic"),
        ("chat", "responses", "anthropic", "reasoning_content"),
    ],
)
def test_what_another_vendor_thought_is_dropped_whole_and_listed(
    ask: Any, answer: Any, upstream: str, client: str, other: str, listed: str
) -> None:
    asked = asked_again(ask, answer, upstream, client, other)
    assert listed in asked.dropped
    for thought in (b"Two cities", b"tollway:", b"gAAAAABo", b"CpkBAbc", b"EqoBCkgIARAB"):
        assert thought not in asked.body


def test_a_signature_waits_for_the_part_that_it_is_for_behind_further_thoughts(ask: Any) -> None:
    blocks = [
        {"type": "thinking", "thinking": "", "signature": "tollway:gemini::first="},
        {"type": "thinking", "thinking": "Hm", "signature": "tollway:gemini::"},
        {"type": "text", "text": "Yes."},
    ]
    messages = [{"role": "assistant", "content": blocks}, {"role": "user", "content": "?"}]
    asked = ask("anthropic", "gemini", {"model": "m", "max_tokens": 9, "messages": messages})
    parts = json.loads(asked.body)["contents"][0]["parts"]
    assert parts == [{"text": "Hm", "thought": True}, {"text": "Yes.", "thoughtSignature": "first="}]


@pytest.mark.parametrize("signature", ["tollway:nobody::x", "tollway:", "other:gemini::x"])
def test_what_only_looks_like_a_mark_is_the_clients_own_signature(ask: Any, signature: str) -> None:
    block = {"type": "thinking", "thinking": "Hm", "signature": signature}
    messages = [{"role": "assistant", "content": [block]}, {"role": "user", "content": "?"}]
    asked = ask("anthropic", "gemini", {"model": "m", "max_tokens": 9, "messages": messages})
    assert asked.dropped == ("thinking of Anthropic",)
