"""Reads a Responses request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_dialects.translation.form.parts import Text
from tollway_dialects.translation.form.request import Format, Request, Role, Sampling, Thinking, Turn
from tollway_dialects.translation.responses.items_in import read_item
from tollway_dialects.translation.wire.openai_fields import (
    end_user,
    function_tool,
    read_tool_choice,
    shared_fields,
    split_system,
)

if TYPE_CHECKING:
    from tollway_dialects.translation.form.request import Tool
    from tollway_dialects.translation.wire.node import Node

_KEPT = ("previous_response_id", "conversation", "prompt", "background")
_ENCRYPTED = "reasoning.encrypted_content"


def read_request(body: Node) -> Request:
    _refuse(body)
    text = body.node("text")
    instructions, verbosity = body.get("instructions", str), text.get("verbosity", str) if text else None
    system, turns = split_system(_turns(body))
    request = Request(
        model=body.need("model", str),
        turns=turns,
        system=system if instructions is None else (Text(instructions), *system),
        tools=tuple(_tool(node) for node in body.nodes("tools")),
        tool_choice=read_tool_choice(body),
        parallel=body.get("parallel_tool_calls", bool),
        max_tokens=body.get("max_output_tokens", int),
        sampling=Sampling(body.get("temperature", float), body.get("top_p", float)),
        thinking=_thinking(body.node("reasoning")),
        format=_format(text.node("format") if text else None),
        end_user=end_user(body),
        shared=shared_fields(body) | ({"verbosity": verbosity} if verbosity else {}),
        is_stream=body.get("stream", bool) or False,
        wants_encrypted=_wants_encrypted(body),
    )
    body.skip("stream_options", "background")
    if body.peek("truncation") == "disabled":  # what everybody does who is not told
        body.skip("truncation")
    for node in (text, body):
        if node:
            node.close()
    return request


def _refuse(body: Node) -> None:
    for name in _KEPT:
        if body.peek(name) not in (None, False):
            raise body.refusal(name, "is bound to OpenAI's API; another provider serves this model")
    if body.peek("input") is None:
        raise body.refusal("input", "Field required")


def _wants_encrypted(body: Node) -> bool:
    included = body.get("include", list[str]) or []
    if any(name != _ENCRYPTED for name in included):
        body.drop("include")
    return _ENCRYPTED in included


def _turns(body: Node) -> list[Turn]:
    if isinstance(body.peek("input"), str):
        return [Turn(Role.USER, (Text(body.need("input", str)),))]
    return [read_item(node) for node in body.nodes("input")]


def _tool(node: Node) -> Tool:
    if (kind := node.need("type", str)) != "function":
        raise node.unknown(kind)
    return function_tool(node)


def _thinking(node: Node | None) -> Thinking:
    if node is None:
        return Thinking()
    effort = node.get("effort", str)
    shown = node.get("summary", str) or node.get("generate_summary", str)
    node.close()
    return Thinking("off", shown=shown) if effort == "none" else Thinking(effort=effort, shown=shown)


def _format(node: Node | None) -> Format | None:
    if node is None:
        return None
    kind = node.need("type", str)
    if kind == "text":
        return None
    if kind == "json_object":
        return Format()
    if kind != "json_schema":
        raise node.unknown(kind)
    wanted = Format(
        node.need("schema", dict[str, Any]),
        node.get("name", str),
        node.get("description", str),
        node.get("strict", bool),
    )
    node.close()
    return wanted
