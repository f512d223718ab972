"""What chat and Responses say alike: function tools, tool choice, arguments, and fields shared word for word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.translation.errors import Untranslatable
from tollway_dialects.translation.form.request import Tool, ToolChoice

if TYPE_CHECKING:
    from tollway_dialects.translation.form.parts import Json
    from tollway_dialects.translation.form.request import Request
    from tollway_dialects.translation.wire.node import Node

SHARED = ("metadata", "prompt_cache_key", "prompt_cache_retention", "service_tier", "store")
"""Fields that both dialects have, and others have not."""
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_CHOICES = ("auto", "required", "none")


def shared_fields(body: Node) -> Json:
    return {name: value for name in SHARED if (value := body.get(name, object)) is not None}


def end_user(body: Node) -> str | None:
    """Return who asks, under its name of today or its former one."""
    today, former = body.get("safety_identifier", str), body.get("user", str)
    return former if today is None else today


def function_tool(node: Node) -> Tool:
    """Read a function; both dialects have its fields, on different levels."""
    tool = Tool(
        name=node.need("name", str),
        schema=node.object("parameters") or {},
        description=node.get("description", str),
        strict=node.get("strict", bool),
    )
    node.close()
    return tool


def write_function(tool: Tool) -> Json:
    if not _NAME.fullmatch(tool.name):
        raise Untranslatable("tools", "a name must have at most 64 of the characters a-z, A-Z, 0-9, _ and -")
    written: Json = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    return written | {"parameters": tool.schema or {"type": "object", "properties": {}}}


def arguments_of(node: Node) -> str:
    """Take a call's arguments, which must be an object's JSON; models that take none may have written nothing."""
    text = node.need("arguments", str) or "{}"
    try:
        msgspec.json.decode(text, type=dict[str, Any])
    except (ValueError, RecursionError):
        raise node.refusal("arguments", "must be a JSON object") from None
    return text


def read_tool_choice(body: Node) -> ToolChoice | None:
    if isinstance(body.peek("tool_choice"), str):
        if (mode := body.need("tool_choice", str)) not in _CHOICES:
            raise body.refusal("tool_choice", "must be auto, required, none or an object")
        return ToolChoice(mode)
    node = body.node("tool_choice")
    if node is None:
        return None
    kind = node.need("type", str)
    if kind == "allowed_tools":
        return _allowed(node.node("allowed_tools") or node)
    if kind != "function":
        raise node.unknown(kind)
    return ToolChoice("named", (node.node("function") or node).need("name", str))


def _allowed(node: Node) -> ToolChoice:
    names = []
    for tool in node.nodes("tools"):
        if (kind := tool.need("type", str)) != "function":
            raise tool.unknown(kind)
        names.append((tool.node("function") or tool).need("name", str))
    return ToolChoice(node.get("mode", str) or "auto", allowed=tuple(names))


def write_thinking(request: Request) -> str | None:
    """Return the effort, of which `none` is one."""
    return "none" if request.thinking.mode == "off" else request.thinking.effort
