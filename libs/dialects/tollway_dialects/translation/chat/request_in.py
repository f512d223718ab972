"""Reads a chat completions request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.chat.parts_in import read_content
from tollway_dialects.translation.form.parts import Part, Refusal, Thought, ToolCall, ToolResult
from tollway_dialects.translation.form.request import Format, Request, Role, Sampling, Thinking, Turn
from tollway_dialects.translation.wire.openai_fields import (
    arguments_of,
    end_user,
    function_tool,
    read_tool_choice,
    shared_fields,
    split_system,
)

if TYPE_CHECKING:
    from tollway_dialects.translation.wire.node import Node

_REFUSED = {
    "functions": "use tools",
    "function_call": "use tool_choice",
    "web_search_options": "the model's provider does not search",
}
_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.USER,
}


def read_request(body: Node) -> Request:
    _refuse(body)
    options = body.node("stream_options")
    effort = body.get("reasoning_effort", str)
    limits = (body.get("max_completion_tokens", int), body.get("max_tokens", int))
    system, turns = split_system([_turn(node) for node in body.nodes("messages")])
    request = Request(
        model=body.need("model", str),
        turns=turns,
        system=system,
        tools=tuple(_tool(node) for node in body.nodes("tools")),
        tool_choice=read_tool_choice(body),
        parallel=body.get("parallel_tool_calls", bool),
        max_tokens=next((limit for limit in limits if limit is not None), None),
        stop=_stop(body),
        sampling=_sampling(body),
        thinking=Thinking("off") if effort == "none" else Thinking(effort=effort),
        format=_format(body.node("response_format")),
        choices=body.get("n", int),
        end_user=end_user(body),
        shared=shared_fields(body) | ({"verbosity": word} if (word := body.get("verbosity", str)) else {}),
        is_stream=body.get("stream", bool) or False,
        streams_usage=bool(options and options.get("include_usage", bool)),
    )
    if options:
        options.skip("include_obfuscation")
        options.close()
    body.close()
    return request


def _refuse(body: Node) -> None:
    if body.peek("messages") is None:
        raise body.refusal("messages", "Field required")
    if "audio" in (body.get("modalities", list[str]) or ()):
        raise body.refusal("modalities", "the model's provider answers in text alone")
    for name, why in _REFUSED.items():
        if body.peek(name) is not None:
            raise body.refusal(name, why)


def _stop(body: Node) -> tuple[str, ...]:
    if isinstance(body.peek("stop"), str):
        return (body.need("stop", str),)
    return tuple(body.get("stop", list[str]) or ())


def _sampling(body: Node) -> Sampling:
    return Sampling(
        temperature=body.get("temperature", float),
        top_p=body.get("top_p", float),
        seed=body.get("seed", int),
        frequency_penalty=body.get("frequency_penalty", float),
        presence_penalty=body.get("presence_penalty", float),
        logit_bias=body.object("logit_bias"),
        logprobs=body.get("logprobs", bool),
        top_logprobs=body.get("top_logprobs", int),
    )


def _turn(node: Node) -> Turn:
    role = node.need("role", str)
    if role not in _ROLES:
        raise node.refusal("role", "must be system, developer, user, assistant or tool")
    parts: tuple[Part, ...] = tuple(read_content(node, _ROLES[role]))
    if role == "tool":
        parts = (ToolResult(node.need("tool_call_id", str), parts),)
    elif role == "assistant":
        parts = _said(node, parts)
    turn = Turn(_ROLES[role], parts, node.get("name", str))
    node.close()
    return turn


def _said(node: Node, content: tuple[Part, ...]) -> tuple[Part, ...]:
    parts: list[Part] = []
    if (thought := node.get("reasoning_content", str)) is not None:
        parts.append(Thought(thought, Dialect.OPENAI_CHAT))
    parts += content
    if refusal := node.get("refusal", str):
        parts.append(Refusal(refusal))
    parts += [_call(call) for call in node.nodes("tool_calls")]
    for name in ("function_call", "audio"):
        if node.peek(name) is not None:
            raise node.refusal(name, "has no equivalent in the dialect of the model's provider")
    node.skip("annotations")
    return tuple(parts)


def _call(node: Node) -> ToolCall:
    if (kind := node.need("type", str)) != "function":
        raise node.unknown(kind)
    identifier = node.need("id", str)
    function = node.node("function")
    if function is None:
        raise node.refusal("function", "Field required")
    call = ToolCall(identifier, function.need("name", str), arguments_of(function))
    node.close()
    return call


def _tool(node: Node) -> Any:
    if (kind := node.need("type", str)) != "function":
        raise node.unknown(kind)
    function = node.node("function")
    if function is None:
        raise node.refusal("function", "Field required")
    node.close()
    return function_tool(function)


def _format(node: Node | None) -> Format | None:
    if node is None:
        return None
    kind = node.need("type", str)
    if kind == "json_object":
        node.close()
        return Format()
    if kind == "text":
        return None
    inner = node.node("json_schema")
    if kind != "json_schema" or inner is None:
        raise node.unknown(kind)
    wanted = Format(
        inner.need("schema", dict[str, Any]),
        inner.get("name", str),
        inner.get("description", str),
        inner.get("strict", bool),
    )
    inner.close()
    return wanted
