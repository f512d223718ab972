"""Reads what a chat completion means, once it is known to be right; called by `validation`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.domain.prompt import Prompt, Segment, Tool
from tollway_simulator.domain.tokens import text_bytes
from tollway_simulator.entrypoints.openai_chat.schema import ToolChoice

if TYPE_CHECKING:
    from tollway_simulator.entrypoints.openai_chat.schema import (
        Content,
        Function,
        Message,
        Request,
        ResponseFormat,
        ToolSpec,
    )

JSON_OBJECT: dict[str, Any] = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}


def read_request(request: Request) -> Prompt:
    """Return what a request means, once it is known to be right."""
    choice = request.tool_choice
    named = choice.function.name if isinstance(choice, ToolChoice) and choice.function else ""
    functions = _functions(request.tools) if request.tools else ()
    return Prompt(
        model=request.model,
        text=_last_user_text(request.messages),
        text_bytes=sum([message_bytes(message) for message in request.messages])
        + (sum(map(_function_bytes, functions)) if functions else 0),
        stream=bool(request.stream),
        include_usage=request.stream_options is not None and bool(request.stream_options.include_usage),
        max_tokens=request.max_completion_tokens or request.max_tokens,
        tool_result=_tool_result(request.messages),
        prefill=_prefill(request.messages[-1]),
        tools=tuple(map(_tool, functions)) if functions and choice != "none" else (),
        must_call=choice == "required" or bool(named),
        forced_tool=named,
        thinking="hidden" if request.reasoning_effort not in (None, "none") else "",
        stop_sequences=() if not request.stop else _stops(request.stop),
        schema=None if request.response_format is None else _schema(request.response_format),
        choices=request.n or 1,
        segments=() if request.prompt_cache_key is None else segments_of(request),
        request=request,
    )


def segments_of(request: Request) -> tuple[Segment, ...]:
    """Return the prompt in the order of caching, every piece of which may be kept, under the caller's key."""
    key = Segment(msgspec.json.encode(request.prompt_cache_key), 0)
    functions = _functions(request.tools) if request.tools else []
    tools = [Segment(msgspec.json.encode(one), _function_bytes(one), "5m") for one in functions]
    turns = [Segment(msgspec.json.encode(one), message_bytes(one), "5m") for one in request.messages]
    return (key, *tools, *turns)


def text_of(content: Content | None, separator: str = "") -> str:
    """Return the text of a message's content: a string, or its text parts joined."""
    if content is None or isinstance(content, str):
        return content or ""
    return separator.join([part.text for part in content if part.text])


def message_bytes(message: Message) -> int:
    total = text_bytes(text_of(message.content))
    for call in message.tool_calls or ():
        if call.function:
            total += text_bytes(call.function.name + call.function.arguments)
    return total


def _function_bytes(function: Function) -> int:
    return text_bytes(function.name + (function.description or "")) + len(bytes(function.parameters))


def _last_user_text(messages: list[Message]) -> str:
    for message in reversed(messages):
        if message.role == "user" and (text := text_of(message.content, "\n")):
            return text
    return ""


def _tool_result(messages: list[Message]) -> str | None:
    results: list[str] = []
    for message in reversed(messages):
        if message.role != "tool":
            break
        results.append(text_of(message.content))
    return " ".join(reversed(results)) if results else None


def _prefill(message: Message) -> str | None:
    return text_of(message.content) if message.role == "assistant" and not message.tool_calls else None


def _functions(tools: list[ToolSpec]) -> list[Function]:
    return [tool.function for tool in tools if tool.type == "function" and tool.function]


def _tool(function: Function) -> Tool:
    schema: dict[str, Any] | None = msgspec.json.decode(bytes(function.parameters))
    return Tool(function.name, schema or {})


def _stops(stop: str | list[str]) -> tuple[str, ...]:
    return (stop,) if isinstance(stop, str) else tuple(filter(None, stop))


def _schema(given: ResponseFormat) -> dict[str, Any] | None:
    if given.type == "json_schema" and given.json_schema is not None:
        return given.json_schema.schema or {}
    return JSON_OBJECT if given.type == "json_object" else None
