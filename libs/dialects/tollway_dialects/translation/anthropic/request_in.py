"""Reads a Messages request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_dialects.translation.anthropic.parts_in import read_part, read_texts
from tollway_dialects.translation.form.parts import Text
from tollway_dialects.translation.form.request import (
    Format,
    Request,
    Role,
    Sampling,
    Thinking,
    Tool,
    ToolChoice,
    Turn,
)

if TYPE_CHECKING:
    from tollway_dialects.translation.wire.node import Node

# each changes where or with what the request is worked on
_KEPT = ("container", "mcp_servers", "thread", "inference_geo", "user_profile_id")
_MODES = {"auto": "auto", "any": "required", "tool": "named", "none": "none"}
_THINKING = {"enabled": "on", "adaptive": "on", "between_tools": "between_tools", "disabled": "off"}
_SHOWN = {"omitted": "none", "summarized": "summarized"}


def read_request(body: Node) -> Request:
    for name in _KEPT:
        if body.peek(name) is not None:
            raise body.refusal(name, "is bound to Anthropic's API; another provider serves this model")
    choice, parallel = _tool_choice(body.node("tool_choice"))
    output = body.node("output_config")
    effort = output.get("effort", str) if output else None
    wanted = output.node("format") if output else None
    request = Request(
        model=body.need("model", str),
        turns=tuple(_turn(node) for node in _messages(body)),
        system=_system(body),
        tools=tuple(_tool(node) for node in body.nodes("tools")),
        tool_choice=choice,
        parallel=parallel,
        max_tokens=body.need("max_tokens", int),
        stop=tuple(body.get("stop_sequences", list[str]) or ()),
        sampling=Sampling(body.get("temperature", float), body.get("top_p", float), body.get("top_k", int)),
        thinking=_thinking(body.node("thinking"), effort),
        format=_format(wanted),
        end_user=_end_user(body.node("metadata")),
        cache=body.object("cache_control"),
        is_stream=body.get("stream", bool) or False,
        wants_encrypted=True,
    )
    if output:
        output.close()
    body.close()
    return request


def _messages(body: Node) -> Any:
    if body.peek("messages") is None:
        raise body.refusal("messages", "Field required")
    return body.nodes("messages")


def _turn(node: Node) -> Turn:
    role = node.need("role", str)
    if role not in (Role.USER, Role.ASSISTANT, Role.SYSTEM):
        raise node.refusal("role", "must be user, assistant or system")
    content = node.peek("content")
    if isinstance(content, str):
        node.skip("content")
        turn = Turn(Role(role), (Text(content),))
    elif content is None:
        raise node.refusal("content", "Field required")
    else:
        turn = Turn(Role(role), tuple(read_part(part, role) for part in node.nodes("content")))
    node.close()
    return turn


def _system(body: Node) -> tuple[Text, ...]:
    if isinstance(body.peek("system"), str):
        return (Text(body.need("system", str)),)
    return read_texts(body.nodes("system"))


def _tool(node: Node) -> Tool:
    if (kind := node.get("type", str)) not in (None, "custom"):
        raise node.unknown(kind or "")
    tool = Tool(
        name=node.need("name", str),
        schema=node.need("input_schema", dict[str, Any]),
        description=node.get("description", str),
        strict=node.get("strict", bool),
        cache=node.object("cache_control"),
    )
    node.close()
    return tool


def _tool_choice(node: Node | None) -> tuple[ToolChoice | None, bool | None]:
    if node is None:
        return None, None
    kind = node.need("type", str)
    if kind not in _MODES:
        raise node.refusal("type", "must be auto, any, tool or none")
    choice = ToolChoice(_MODES[kind], node.need("name", str) if kind == "tool" else "")
    is_serial = node.get("disable_parallel_tool_use", bool)
    node.close()
    return choice, None if is_serial is None else not is_serial


def _thinking(node: Node | None, effort: str | None) -> Thinking:
    if node is None:
        return Thinking(effort=effort)
    kind = node.need("type", str)
    if kind not in _THINKING:
        raise node.refusal("type", "must be enabled, adaptive, between_tools or disabled")
    budget = node.need("budget_tokens", int) if kind == "enabled" else None
    shown = node.get("display", str)
    node.close()
    return Thinking(_THINKING[kind], budget, effort, _SHOWN.get(shown or "", shown))


def _format(node: Node | None) -> Format | None:
    if node is None:
        return None
    if (kind := node.need("type", str)) != "json_schema":
        raise node.unknown(kind)
    wanted = Format(node.need("schema", dict[str, Any]))
    node.close()
    return wanted


def _end_user(node: Node | None) -> str | None:
    if node is None:
        return None
    user = node.get("user_id", str)
    node.close()
    return user
