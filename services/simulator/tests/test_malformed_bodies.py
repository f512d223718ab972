"""Bodies that are spoilt where their decoder does not look: each is the provider's 400, in its shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Running

MESSAGES, COUNT, CHAT, RESPONSES = "/v1/messages", "/v1/messages/count_tokens", "/v1/chat/completions", "/v1/responses"
NO_JSON = {
    "invalid UTF-8": b'"\xff"',
    "UTF-8 of a surrogate": b'"\xed\xa0\x80"',
    "lone surrogate": rb'"\ud800"',
    "too deep": b"[" * 5000 + b"]" * 5000,
}
# where a part of the body is taken as it comes; PLACE stands for a value
PLACES = {
    "image": (MESSAGES, [{"type": "image", "source": {"type": "url", "url": "PLACE"}}]),
    "document": (COUNT, [{"type": "document", "source": {"type": "text", "data": "PLACE"}}]),
    "tool_result": (MESSAGES, [{"type": "tool_result", "tool_use_id": "t", "content": "PLACE"}]),
    "image_url": (CHAT, [{"type": "image_url", "image_url": {"url": "PLACE"}}]),
    "file": (CHAT, [{"type": "file", "file": {"file_id": "PLACE"}}]),
}
NO_SCHEMAS: list[Any] = [
    {"properties": []},
    {"properties": True},
    {"properties": {"a": "string"}},
    {"required": 83},
    {"required": [{"a": 1}]},
    {"required": [["a"]]},
    {"type": {"a": 1}},
    {"type": ["object", 1]},
    {"items": [{}]},
    {"anyOf": [1]},
    {"allOf": {}},
    {"enum": "a"},
    {"$ref": {}},
    {"$defs": {"a": []}},
    {"format": []},
    {"minLength": "1"},
    {"minItems": -1},
    {"minimum": "1"},
    {"multipleOf": 0},
]
HUGE_SCHEMAS: list[Any] = [
    {"type": "string", "minLength": 2**31},
    {"type": "array", "minItems": 2**53},
    {"type": "array", "minItems": 9000, "items": {"type": "array", "minItems": 9000}},
    {"allOf": [{"$ref": "#/examples"}], "type": "object", "examples": []},
    {"type": "object", "properties": {name: {"$ref": "#"} for name in "abcdefghijklmnopqrstuvwxyz"}},
]


async def refused(simulator: Running, path: str, body: dict[str, Any] | bytes) -> str:
    """Send a body that every path takes, with more fields, and return the message of its 400."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with simulator.http.post(simulator.url + path, data=raw, headers=simulator.headers) as response:
        answer = await response.json()
        assert response.status == 400, answer
    assert answer["error"]["type"] == "invalid_request_error"
    assert ("type" in answer) == path.startswith(MESSAGES)
    return str(answer["error"]["message"])


def asking(path: str, content: Any = "hi", **fields: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": content}]
    needed = {"input": turns} if path == RESPONSES else {"messages": turns}
    return {"model": "m", "max_tokens": 100, **needed, **fields}


def with_tool(path: str, schema: Any) -> dict[str, Any]:
    if path == CHAT:
        tool = {"type": "function", "function": {"name": "lookup", "parameters": schema}}
    elif path == RESPONSES:
        tool = {"type": "function", "name": "lookup", "parameters": schema}
    else:
        tool = {"name": "lookup", "input_schema": schema}
    return asking(path, "[tool] hi", tools=[tool])


def with_format(path: str, schema: Any) -> dict[str, Any]:
    given = {"type": "json_schema", "name": "answer", "schema": schema}
    if path == CHAT:
        return asking(path, response_format={"type": "json_schema", "json_schema": given})
    if path == RESPONSES:
        return asking(path, text={"format": given})
    return asking(path, output_config={"format": given})


@pytest.mark.parametrize("spoilt", NO_JSON.values(), ids=NO_JSON)
@pytest.mark.parametrize(("path", "content"), PLACES.values(), ids=PLACES)
async def test_a_part_that_is_no_json_is_refused_like_a_body_that_is_none(
    simulator: Running, path: str, content: Any, spoilt: bytes
):
    body = json.dumps(asking(path, content)).encode().replace(b'"PLACE"', spoilt)
    assert "JSON" in await refused(simulator, path, body)


@pytest.mark.parametrize("spoilt", NO_JSON.values(), ids=NO_JSON)
@pytest.mark.parametrize("path", [MESSAGES, COUNT, CHAT, RESPONSES])
async def test_a_schema_that_is_no_json_is_refused_like_a_body_that_is_none(
    simulator: Running, path: str, spoilt: bytes
):
    body = json.dumps(with_tool(path, {"type": "object", "title": "PLACE"})).encode().replace(b'"PLACE"', spoilt)
    assert "JSON" in await refused(simulator, path, body)


@pytest.mark.parametrize("kind", [None, 1, ["base64"], {}, {"a": 1}], ids=str)
async def test_a_type_of_source_that_is_no_name_is_refused(simulator: Running, kind: Any):
    image = {"type": "image", "source": {"type": kind, "data": "AA==", "media_type": "image/png"}}
    message = await refused(simulator, MESSAGES, asking(MESSAGES, [image]))
    assert message.startswith("messages.0.content.0.image.source: Input tag")


@pytest.mark.parametrize("part", NO_SCHEMAS, ids=str)
async def test_what_is_no_schema_is_refused_for_tools_and_formats(simulator: Running, path: str, part: Any):
    schema = {"type": "object", **part}
    expected = "schema" if path == MESSAGES else "Invalid schema for "
    for body in (
        with_tool(path, schema),
        with_format(path, schema),
        with_tool(path, {"type": "object", "items": part}),
    ):
        assert expected in await refused(simulator, path, body)


@pytest.mark.parametrize("part", HUGE_SCHEMAS, ids=lambda part: str(part)[:60])
async def test_a_schema_whose_least_value_is_huge_is_refused(simulator: Running, path: str, part: Any):
    schema = {"type": "object", "properties": {"a": part}, "examples": [], "required": ["a"]}
    for body in (with_tool(path, schema), with_format(path, schema)):
        assert "Invalid schema" in await refused(simulator, path, body)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "number", "minimum": 1e308, "multipleOf": 5e-324}, 1e308),
        ({"type": "integer", "minimum": 2**64 - 1, "multipleOf": 7}, float(2**64)),
        ({"type": "integer", "exclusiveMinimum": 2**64 - 1}, float(2**64)),
        ({"type": "array", "minItems": 3, "items": False}, ["sample"] * 3),
        (True, "sample"),
    ],
)
async def test_a_schema_at_the_edge_of_what_numbers_hold_is_answered(simulator: Running, schema: Any, expected: Any):
    body = with_format(CHAT, {"type": "object", "properties": {"a": schema}})
    async with simulator.http.post(simulator.url + CHAT, json=body, headers=simulator.headers) as response:
        answer = await response.json()
    assert response.status == 200, answer
    assert json.loads(answer["choices"][0]["message"]["content"]) == {"a": expected}


@pytest.mark.parametrize(
    ("path", "tool"),
    [
        (MESSAGES, {"type": "bash_20250124", "name": "bash", "input_schema": {"properties": []}}),
        (CHAT, {"type": "custom", "function": {"name": "bash", "parameters": {"properties": []}}}),
    ],
)
async def test_a_tool_that_is_no_function_is_never_called_whatever_schema_it_has(
    simulator: Running, path: str, tool: dict[str, Any]
):
    status, answer = await simulator.ask(asking(path, "[tool] hi", tools=[tool]), path=path)
    assert status == 200, answer
    assert "bash" not in json.dumps(answer)


async def test_a_schema_that_is_too_deep_to_be_looked_through_is_refused(simulator: Running):
    inner: dict[str, Any] = {"type": "string"}
    for _ in range(700):
        inner = {"items": inner}
    strict = {"type": "object", "properties": {"a": inner}, "required": ["a"], "additionalProperties": False}
    body = with_format(RESPONSES, strict)
    body["text"]["format"]["strict"] = True
    assert "nested too deeply" in await refused(simulator, RESPONSES, body)
