"""Which responses OpenAI refuses to give, and which it does not."""

from __future__ import annotations

from typing import Any

import pytest

RESPONSES = "/v1/responses"
HI = {"role": "user", "content": "hi"}
FUNCTION = {"name": "lookup", "parameters": {"type": "object", "properties": {"q": {"type": "string"}}}}
TOOL = {"type": "function", "function": FUNCTION}
FLAT_TOOL = {"type": "function", **FUNCTION}
FLAT_CALL = {"type": "function_call", "call_id": "call_1", "name": "lookup", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "found"}
LOOSE = {"type": "object", "properties": {"a": {"type": "string"}}}


def said(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


# path, fields, param, code, part of the message
REFUSED: dict[str, tuple[str, dict[str, Any], str | None, str | None, str]] = {
    "no input": (RESPONSES, {"input": None}, "input", "missing_required_parameter", ""),
    "an output without call": (
        RESPONSES,
        {"input": [OUTPUT]},
        "input",
        None,
        "No tool call found for function call output with call_id call_1.",
    ),
    "a call without output": (
        RESPONSES,
        {"input": [FLAT_CALL, HI]},
        "input",
        None,
        "No tool output found for function call",
    ),
    "chat's parts": (
        RESPONSES,
        {"input": [said({"type": "text", "text": "x"})]},
        "input[0].content[0].type",
        "invalid_value",
        "Supported values are: 'input_text', 'input_image', 'input_file'.",
    ),
    "Anthropic's blocks": (RESPONSES, {"input": [{"type": "tool_use"}]}, "input[0].type", "invalid_value", ""),
    "chat's tools": (RESPONSES, {"tools": [TOOL]}, "tools[0].name", "missing_required_parameter", ""),
    "a choice of a tool that is not there": (
        RESPONSES,
        {"tools": [FLAT_TOOL], "tool_choice": {"type": "function", "name": "other"}},
        "tool_choice",
        None,
        "not found in 'tools'",
    ),
    "fewer than 16 tokens": (RESPONSES, {"max_output_tokens": 15}, "max_output_tokens", "integer_below_min_value", ""),
    "a format without name": (
        RESPONSES,
        {"text": {"format": {"type": "json_schema", "schema": LOOSE}}},
        "text.format.name",
        "missing_required_parameter",
        "",
    ),
    "reasoning without what follows": (
        RESPONSES,
        {"input": [{"type": "reasoning", "id": "rs_1", "summary": []}, HI]},
        "input",
        None,
        "without its required following item",
    ),
}

ACCEPTED: dict[str, tuple[str, dict[str, Any]]] = {
    "a call and its output": (RESPONSES, {"input": [HI, FLAT_CALL, OUTPUT], "tools": [FLAT_TOOL]}),
    "an item without type": (RESPONSES, {"input": [{"role": "assistant", "content": "x"}, HI]}),
    "items of providers' tools": (RESPONSES, {"input": [HI, {"type": "web_search_call", "id": "ws_1"}]}),
    "reasoning and what follows": (
        RESPONSES,
        {"input": [HI, {"type": "reasoning", "id": "rs_1", "summary": []}, FLAT_CALL, OUTPUT]},
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_the_provider_refuses_is_refused(simulator, case):
    path, fields, param, code, message = REFUSED[case]
    status, answer = await simulator.ask(fields, path=path)
    assert status == 400
    error = answer["error"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert message in error["message"]


@pytest.mark.parametrize("case", ACCEPTED)
async def test_what_the_provider_takes_is_taken(simulator, case):
    path, fields = ACCEPTED[case]
    status, answer = await simulator.ask(fields, path=path)
    assert status == 200, answer


async def test_encrypted_reasoning_has_to_come_back_as_it_was(simulator):
    reasoning = {"effort": "high", "summary": "auto"}
    asked = {"reasoning": reasoning, "include": ["reasoning.encrypted_content"], "store": False}
    _, first = await simulator.ask(asked, path=RESPONSES)
    history = [HI, *first["output"], HI]
    assert (await simulator.ask(asked | {"input": history}, path=RESPONSES))[0] == 200
    history[1]["summary"][0]["text"] = "changed"
    status, answer = await simulator.ask(asked | {"input": history}, path=RESPONSES)
    assert (status, answer["error"]["code"]) == (400, "invalid_encrypted_content")
