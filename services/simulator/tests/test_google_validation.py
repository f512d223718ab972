"""What Gemini refuses, and which field it names."""

from __future__ import annotations

import json
from typing import Any

import pytest

USER = {"role": "user", "parts": [{"text": "hello"}]}
CALL = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
RESULT = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "1"}}}]}


def declaring(**more: Any) -> list[dict[str, Any]]:
    return [{"functionDeclarations": [{"name": "f", **more}]}]


async def ask(simulator, fields: dict[str, Any], model: str = "m") -> tuple[int, Any]:
    url = f"{simulator.url}/google/v1beta/models/{model}:generateContent"
    body = {"contents": [USER], **fields}
    async with simulator.http.post(url, json=body, headers={"x-goog-api-key": "k"}) as response:
        return response.status, await response.json()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no contents": ({"contents": []}, "contents is not specified"),
    "a role of others": ({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "valid role: user, model"),
    "no parts": ({"contents": [{"role": "user", "parts": []}]}, "contents[0].parts: contents.parts must not be empty"),
    "an empty part": ({"contents": [{"parts": [{}]}]}, "contents[0].parts[0].data: required oneof field 'data'"),
    "a part that is two": (
        {"contents": [{"parts": [{"text": "x", "fileData": {"fileUri": "y"}}]}]},
        "oneof field 'data' is already set",
    ),
    "an unknown field": ({"max_tokens": 5}, 'Unknown name "max_tokens": Cannot find field'),
    "an unknown field inside": (
        {"generationConfig": {"topX": 5}},
        "Unknown name \"topX\" at 'generationConfig': Cannot find field",
    ),
    "a wrong type": ({"generationConfig": {"temperature": "hot"}}, "Invalid value at 'generationConfig.temperature'"),
    "too hot": ({"generationConfig": {"temperature": 3}}, "'generationConfig.temperature'"),
    "too many stops": ({"generationConfig": {"stopSequences": list("abcdef")}}, "'generationConfig.stopSequences'"),
    "no image": (
        {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "*"}}]}]},
        "Base64 decoding",
    ),
    "a result without call": ({"contents": [USER, RESULT]}, "immediately after a function call turn"),
    "a call without result": ({"contents": [USER, CALL, USER]}, "number of function response parts"),
    "a call at the end": ({"contents": [USER, CALL]}, "followed by a function response turn"),
    "a function without name": ({"tools": [{"functionDeclarations": [{"name": ""}]}]}, "Invalid function name"),
    "a function of a wrong name": ({"tools": [{"functionDeclarations": [{"name": "1 x"}]}]}, "Invalid function name"),
    "a function twice": ({"tools": [*declaring(), *declaring()]}, "Duplicate function declaration found: f"),
    "a keyword that Google lacks": (
        {"tools": declaring(parameters={"type": "OBJECT", "properties": {"n": {"exclusiveMinimum": 1}}})},
        'Unknown name "exclusiveMinimum"',
    ),
    "a list of types": ({"tools": declaring(parameters={"type": ["string", "null"]})}, "parameters.type"),
    "two schemas": (
        {"tools": declaring(parameters={"type": "OBJECT"}, parametersJsonSchema={"type": "object"})},
        "mutually exclusive",
    ),
    "a schema that is none": ({"tools": declaring(parametersJsonSchema={"type": 5})}, "invalid JSON schema"),
    "ANY without functions": (
        {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
        "set without function_declarations",
    ),
    "a mode of others": ({"toolConfig": {"functionCallingConfig": {"mode": "required"}}}, "functionCallingConfig.mode"),
    "allowed names with AUTO": (
        {"tools": declaring(), "toolConfig": {"functionCallingConfig": {"allowedFunctionNames": ["f"]}}},
        "only when the function calling mode is ANY",
    ),
    "allowed names of nobody": (
        {
            "tools": declaring(),
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["g"]}},
        },
        "a name that is not declared: g",
    ),
    "a schema for plain text": (
        {"generationConfig": {"responseSchema": {"type": "OBJECT"}}},
        "only supported with response_mime_type",
    ),
    "two kinds of thinking": (
        {"generationConfig": {"thinkingConfig": {"thinkingBudget": 5, "thinkingLevel": "LOW"}}},
        "only one of thinking budget and thinking level",
    ),
    "a harm that is none": (
        {"safetySettings": [{"category": "RUDENESS", "threshold": "OFF"}]},
        "safety_settings[0].category",
    ),
    "a harm twice": (
        {"safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}] * 2},
        "duplicate safety setting",
    ),
}


@pytest.mark.parametrize("case", list(REFUSED))
async def test_it_is_400_and_says_where(simulator, case):
    fields, message = REFUSED[case]
    status, answer = await ask(simulator, fields)
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert message in answer["error"]["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {
            "system_instruction": {"parts": [{"text": "be kind"}]},
            "generation_config": {"max_output_tokens": 5, "thinking_config": {"thinking_budget": 0}},
            "tool_config": {"function_calling_config": {"mode": "NONE"}},
            "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        },
        {"tools": declaring(parameters={"type": "OBJECT", "properties": {"snake_case": {"type": "STRING"}}})},
        {"tools": declaring(parametersJsonSchema={"type": "object", "$schema": "x", "additionalProperties": False})},
        {"tools": [{"google_search": {}}]},
        {"contents": [USER, CALL, RESULT]},
        {"contents": [{"parts": [{"text": "no role"}]}]},
        {"contents": [USER, USER]},
    ],
)
async def test_what_google_takes_is_taken(simulator, fields):
    status, answer = await ask(simulator, fields)
    assert status == 200, answer


async def test_names_of_the_callers_own_keep_their_spelling(simulator):
    parameters = {"type": "OBJECT", "properties": {"snake_case": {"type": "STRING", "min_length": "2"}}}
    fields = {
        "contents": [{"role": "user", "parts": [{"text": "[tool]"}]}],
        "tools": [{"function_declarations": [{"name": "f", "parameters": parameters}]}],
    }
    _, answer = await ask(simulator, fields)
    [part] = answer["candidates"][0]["content"]["parts"]
    assert list(part["functionCall"]["args"]) == ["snake_case"]


async def test_only_a_model_that_is_known_limits_its_output(simulator):
    fields = {"generationConfig": {"maxOutputTokens": 70_000}}
    assert (await ask(simulator, fields))[0] == 200
    status, answer = await ask(simulator, fields, "gemini-2.5-flash")
    assert (status, answer["error"]["details"][0]["fieldViolations"][0]["field"]) == (
        400,
        "generation_config.max_output_tokens",
    )


async def test_a_cached_content_that_nobody_made_is_not_found(simulator):
    status, answer = await ask(simulator, {"cachedContent": "cachedContents/x"})
    assert (status, answer["error"]["status"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b'{"contents":' * 3000, b"\xff"])
async def test_a_body_that_is_no_request_is_400(simulator, raw):
    url = f"{simulator.url}/google/v1beta/models/m:generateContent"
    async with simulator.http.post(url, data=raw, headers={"x-goog-api-key": "k"}) as response:
        assert response.status == 400
        assert json.loads(await response.read())["error"]["status"] == "INVALID_ARGUMENT"
