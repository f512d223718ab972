"""What chat and Responses say alike: function tools, tool choice, arguments, and fields shared word for word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.translation.errors import Untranslatable
from tollway_dialects.translation.form.parts import Text
from tollway_dialects.translation.form.request import Role, Tool, ToolChoice
from tollway_dialects.translation.wire.strict_schema import fits_strict

if TYPE_CHECKING:
    from tollway_dialects.translation.form.parts import Json
    from tollway_dialects.translation.form.request import Format, Request, Turn
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
    schema = tool.schema or {"type": "object"}
    if schema.get("type") == "object":  # without properties it is refused
        schema = schema if "properties" in schema else schema | {"properties": {}}
    return written | {"parameters": schema}


def is_strict(tool: Tool) -> bool | None:
    """Return whether a tool's arguments are held to its schema, where the schema allows it; None where nobody said."""
    return tool.strict and fits_strict(tool.schema)


def write_format(wanted: Format) -> Json:
    """Return a schema for an answer, with its name; a dialect without names for them holds every answer to them."""
    strict = fits_strict(wanted.schema) if wanted.name is None else wanted.strict
    fields: Json = {"name": wanted.name or "answer", "description": wanted.description}
    fields |= {"schema": wanted.schema, "strict": strict}
    return {name: value for name, value in fields.items() if value is not None}


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


def split_system(turns: list[Turn]) -> tuple[tuple[Text, ...], tuple[Turn, ...]]:
    """Take off the system's turns at the beginning, which other dialects keep apart."""
    system: list[Text] = []
    for number, turn in enumerate(turns):
        if turn.role is not Role.SYSTEM or turn.name:
            return tuple(system), tuple(turns[number:])
        system += [part for part in turn.parts if isinstance(part, Text)]
    return tuple(system), ()


def write_thinking(request: Request) -> str | None:
    """Return the effort, of which `none` is one."""
    return "none" if request.thinking.mode == "off" else request.thinking.effort
