"""Reads what a response's body means, once it is known to be right; called by `validation`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tollway_simulator.domain.prompt import Prompt, Segment, Tool
from tollway_simulator.domain.tokens import text_bytes
from tollway_simulator.entrypoints.openai_responses.schema import Item, ToolChoice

if TYPE_CHECKING:
    from tollway_simulator.entrypoints.openai_responses.schema import (
        Content,
        Reasoning,
        Request,
        TextConfig,
        ToolSpec,
    )

JSON_OBJECT: dict[str, Any] = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}


def items_of(request: Request) -> list[Item]:
    if isinstance(request.input, str):
        return [Item(role="user", content=request.input)] if request.input else []
    return request.input or []


def read_request(request: Request, bytes_before: int) -> Prompt:
    """Return what a request means, once it is known to be right."""
    items = items_of(request)
    choice = request.tool_choice
    functions = [tool for tool in request.tools or () if tool.type == "function"]
    return Prompt(
        model=request.model,
        text=_last_user_text(items),
        text_bytes=bytes_before
        + text_bytes(request.instructions or "")
        + sum(map(item_bytes, items))
        + sum(map(_tool_bytes, functions)),
        stream=bool(request.stream),
        max_tokens=request.max_output_tokens,
        tool_result=_tool_result(items),
        prefill=text_of(items[-1].content) if items and items[-1].role == "assistant" else None,
        tools=tuple([Tool(tool.name, tool.parameters or {}) for tool in functions]) if choice != "none" else (),
        must_call=choice == "required" or (isinstance(choice, ToolChoice) and _must_call(choice)),
        forced_tool=choice.name if isinstance(choice, ToolChoice) and choice.type == "function" else "",
        thinking=_thinking(request.reasoning),
        schema=_schema(request.text),
        segments=() if request.prompt_cache_key is None else _segments(request, functions, items),
        request=request,
    )


def _segments(request: Request, functions: list[ToolSpec], items: list[Item]) -> tuple[Segment, ...]:
    """Return the prompt in the order of caching, every piece of which may be kept, under the caller's key."""
    begun = (request.prompt_cache_key, request.previous_response_id, request.instructions)
    head = Segment(msgspec.json.encode(begun), text_bytes(request.instructions or ""), "5m")
    tools = [Segment(msgspec.json.encode(one), _tool_bytes(one), "5m") for one in functions]
    return (head, *tools, *[Segment(msgspec.json.encode(one), item_bytes(one), "5m") for one in items])


def text_of(content: Content | None, separator: str = "") -> str:
    """Return the text of an item's content: a string, or its text parts joined."""
    if content is None or isinstance(content, str):
        return content or ""
    return separator.join([part.text for part in content if part.text])


def item_bytes(item: Item) -> int:
    called = (item.name or "") + (item.arguments or "")
    return text_bytes(text_of(item.content)) + text_bytes(text_of(item.output)) + text_bytes(called)


def _tool_bytes(tool: ToolSpec) -> int:
    schema = msgspec.json.encode(tool.parameters) if tool.parameters else b""
    return text_bytes(tool.name + (tool.description or "")) + len(schema)


def _last_user_text(items: list[Item]) -> str:
    for item in reversed(items):
        if item.type == "message" and item.role == "user" and (text := text_of(item.content, "\n")):
            return text
    return ""


def _tool_result(items: list[Item]) -> str | None:
    results: list[str] = []
    for item in reversed(items):
        if item.type != "function_call_output":
            break
        results.append(text_of(item.output))
    return " ".join(reversed(results)) if results else None


def _must_call(choice: ToolChoice) -> bool:
    return choice.type == "function" or (choice.type == "allowed_tools" and choice.mode == "required")


def _thinking(reasoning: Reasoning | None) -> Literal["", "shown", "hidden"]:
    if reasoning is None or reasoning.effort == "none":
        return ""
    return "shown" if reasoning.summary else "hidden"


def _schema(text: TextConfig | None) -> dict[str, Any] | None:
    if text is None or text.format is None or text.format.type == "text":
        return None
    return JSON_OBJECT if text.format.type == "json_object" else text.format.schema or {}
