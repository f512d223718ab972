"""Which chat completions OpenAI refuses, and which it does not."""

from __future__ import annotations

from typing import Any

import pytest

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
HI = {"role": "user", "content": "hi"}
FUNCTION = {"name": "lookup", "parameters": {"type": "object", "properties": {"q": {"type": "string"}}}}
TOOL = {"type": "function", "function": FUNCTION}
CALL = {"id": "call_1", "type": "function", "function": {"name": "lookup", "arguments": "{}"}}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "found"}
LOOSE = {"type": "object", "properties": {"a": {"type": "string"}}}


def said(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def schema_format(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, **more}}


# path, fields, param, code, part of the message
REFUSED: dict[str, tuple[str, dict[str, Any], str | None, str | None, str]] = {
    "max_tokens for a new model": (
        CHAT,
        {"model": "gpt-6-luna", "max_tokens": 5},
        "max_tokens",
        "unsupported_parameter",
        "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    ),
    "max_tokens for a reasoning model": (
        CHAT,
        {"model": "o3", "max_tokens": 5},
        "max_tokens",
        "unsupported_parameter",
        "",
    ),
    "a number as text": (
        CHAT,
        {"temperature": "hot"},
        "temperature",
        "invalid_type",
        "Invalid type for 'temperature': expected a decimal, but got a string instead.",
    ),
    "an unknown role": (
        CHAT,
        {"messages": [{"role": "robot", "content": "x"}]},
        "messages[0].role",
        "invalid_value",
        "Invalid value: 'robot'",
    ),
    "no role": (
        CHAT,
        {"messages": [{"content": "x"}]},
        "messages[0].role",
        "missing_required_parameter",
        "Missing required parameter: 'messages[0].role'.",
    ),
    "content of another type": (
        CHAT,
        {"messages": [{"role": "user", "content": 3}]},
        "messages[0].content",
        "invalid_type",
        "",
    ),
    "no content": (CHAT, {"messages": [{"role": "user"}]}, "messages[0].content", "invalid_value", "got null"),
    "an assistant who says nothing": (
        CHAT,
        {"messages": [{"role": "assistant"}]},
        "messages[0].content",
        "invalid_value",
        "",
    ),
    "a part in Anthropic's shape": (
        CHAT,
        {"messages": [said({"type": "image", "source": {}})]},
        "messages[0].content[0].type",
        "invalid_value",
        "Supported values are: 'text', 'image_url', 'input_audio', 'file'.",
    ),
    "an image in a tool message": (
        CHAT,
        {
            "messages": [
                HI,
                CALLED,
                {**RESULT, "content": [{"type": "image_url", "image_url": {"url": "https://e.com"}}]},
            ]
        },
        "messages[2].content[0].type",
        "invalid_value",
        "",
    ),
    "an image that is nowhere": (
        CHAT,
        {"messages": [said({"type": "image_url", "image_url": {"url": "nowhere"}})]},
        "messages[0].content[0].image_url.url",
        "invalid_value",
        "Expected a valid URL",
    ),
    "an image of another type": (
        CHAT,
        {"messages": [said({"type": "image_url", "image_url": {"url": "data:image/tiff;base64,eA=="}})]},
        "messages[0].content[0].image_url.url",
        "invalid_image_format",
        "",
    ),
    "calls without results": (
        CHAT,
        {"messages": [HI, CALLED, HI]},
        "messages.[2].role",
        None,
        "The following tool_call_ids did not have response messages: call_1",
    ),
    "a result without call": (CHAT, {"messages": [HI, RESULT]}, "messages.[1].role", None, "must be a response to"),
    "a result without its call's id": (
        CHAT,
        {"messages": [HI, CALLED, {"role": "tool", "content": "x"}]},
        "messages[2].tool_call_id",
        "missing_required_parameter",
        "",
    ),
    "a call's id that is too long": (
        CHAT,
        {"messages": [HI, {**CALLED, "tool_calls": [{**CALL, "id": "x" * 65}]}]},
        "messages[1].tool_calls[0].id",
        "string_above_max_length",
        "maximum length 64",
    ),
    "a function's name": (
        CHAT,
        {"tools": [{"type": "function", "function": {**FUNCTION, "name": "a.b"}}]},
        "tools[0].function.name",
        "invalid_value",
        "does not match pattern",
    ),
    "a strict function that is not": (
        CHAT,
        {"tools": [{"type": "function", "function": {**FUNCTION, "strict": True}}]},
        "tools[0].function.parameters",
        "invalid_function_parameters",
        "'additionalProperties' is required to be supplied and to be false.",
    ),
    "a forced tool that is not there": (CHAT, {"tool_choice": "required"}, "tool_choice", "invalid_value", "'tools'"),
    "five stops": (CHAT, {"stop": list("abcde")}, "stop", "array_above_max_length", "maximum length 4"),
    "129 choices": (CHAT, {"n": 129}, "n", "integer_above_max_value", "<= 128"),
    "no choice": (CHAT, {"n": 0}, "n", "integer_below_min_value", ">= 1"),
    "a temperature above two": (CHAT, {"temperature": 2.5}, "temperature", "decimal_above_max_value", ""),
    "top_logprobs alone": (CHAT, {"top_logprobs": 2}, "top_logprobs", "invalid_value", "'logprobs' is enabled"),
    "an effort that the model lacks": (
        CHAT,
        {"model": "gpt-6.2-sol", "reasoning_effort": "none"},
        "reasoning_effort",
        "unsupported_value",
        "",
    ),
    "a temperature that the model lacks": (
        CHAT,
        {"model": "gpt-6.1-sol", "temperature": 0.5},
        "temperature",
        "unsupported_value",
        "Only the default (1) value is supported.",
    ),
    "stream options without stream": (
        CHAT,
        {"stream_options": {}},
        "stream_options",
        None,
        "only allowed when 'stream'",
    ),
    "json without the word": (CHAT, {"response_format": {"type": "json_object"}}, "messages", None, "the word 'json'"),
    "a format without schema": (
        CHAT,
        {"response_format": {"type": "json_schema"}},
        "response_format.json_schema",
        "missing_required_parameter",
        "",
    ),
    "a strict format that is not": (
        CHAT,
        {"response_format": schema_format({**LOOSE, "additionalProperties": False}, strict=True)},
        "response_format",
        "invalid_json_schema",
        "Missing 'a'.",
    ),
    "17 pairs of metadata": (
        CHAT,
        {"metadata": {str(i): "x" for i in range(17)}},
        "metadata",
        "object_above_max_properties",
        "",
    ),
}

ACCEPTED: dict[str, tuple[str, dict[str, Any]]] = {
    "max_tokens for an old model": (CHAT, {"model": "gpt-4o", "max_tokens": 5}),
    "the newer name": (CHAT, {"model": "gpt-6-luna", "max_completion_tokens": 5}),
    "roles in any order": (CHAT, {"messages": [{"role": "assistant", "content": "x"}, HI, HI]}),
    "empty text": (CHAT, {"messages": [{"role": "user", "content": ""}]}),
    "a call and its result": (CHAT, {"messages": [HI, CALLED, RESULT], "tools": [TOOL]}),
    "an image": (
        CHAT,
        {"messages": [said({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}})]},
    ),
    "four stops": (CHAT, {"stop": list("zxqj")}),
    "a loose schema": (CHAT, {"response_format": schema_format(LOOSE)}),
    "what nobody knows": (CHAT, {"colour": "red"}),
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


@pytest.mark.parametrize(("path", "field"), [(CHAT, "messages"), (RESPONSES, "input")])
async def test_unknown_fields_are_refused_only_where_that_is_asked_for(simulator, path, field):
    strict = {field: [{"role": "user", "content": "[strict] hi"}]}
    assert (await simulator.ask(strict | {"safety_identifier": "u"}, path=path))[0] == 200
    status, answer = await simulator.ask(strict | {"colour": "red"}, path=path)
    assert (status, answer["error"]["param"], answer["error"]["code"]) == (400, "colour", "unknown_parameter")
