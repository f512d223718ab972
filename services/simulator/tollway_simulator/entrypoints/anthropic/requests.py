"""Reads what a request means, once it is known to be right; called by `dialect` and `count_tokens`."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tollway_simulator.domain.models import traits_of
from tollway_simulator.domain.prompt import Prompt, Tool
from tollway_simulator.entrypoints.anthropic.caching import segments_of
from tollway_simulator.entrypoints.anthropic.schema import nested_content, text_of
from tollway_simulator.entrypoints.anthropic.sizes import content_bytes, tool_bytes

if TYPE_CHECKING:
    from tollway_simulator.entrypoints.anthropic.schema import Format, Message, Request, ToolSpec


def read_request(request: Request, binding: str, *, is_marked: bool) -> Prompt:
    """Return the prompt; `is_marked` says that there are marks for the prompt cache."""
    choice = request.tool_choice
    tools = request.tools
    return Prompt(
        model=request.model,
        text=_last_user_text(request.messages),
        text_bytes=content_bytes(request.system)
        + sum([content_bytes(message.content) for message in request.messages])
        + (sum(map(tool_bytes, tools)) if tools else 0),
        stream=bool(request.stream),
        max_tokens=None if request.max_tokens is msgspec.UNSET else request.max_tokens,
        tool_result=_tool_result(request.messages[-1]),
        prefill=_prefill(request.messages[-1]),
        tools=_callable(tools) if tools and (choice is None or choice.type != "none") else (),
        must_call=choice is not None and choice.type in ("any", "tool"),
        forced_tool=choice.name if choice is not None else "",
        stop_sequences=tuple(request.stop_sequences) if request.stop_sequences else (),
        thinking="" if request.thinking is None else _thinking(request),
        schema=asked.schema if (asked := format_of(request)) else None,
        segments=segments_of(request) if is_marked else (),
        binding=binding,
        request=request,
    )


@lru_cache(maxsize=1024)
def binding_of(model: str, account: str) -> str:
    """Return for whom the signatures of a model's thinking hold."""
    traits = traits_of(model)
    return f"{model if traits.has('B') else ''}{' ' + account if traits.has('C') else ''}"


def _thinking(request: Request) -> Literal["", "shown", "hidden"]:
    thinking = request.thinking
    if thinking is None or thinking.type in ("disabled", "between_tools"):
        return ""
    display = thinking.display or ("omitted" if traits_of(request.model).has("A") else "summarized")
    return "hidden" if display == "omitted" else "shown"


def format_of(request: Request) -> Format | None:
    """Return the format that is asked for, under its new name or its old one."""
    asked = request.output_config.format if request.output_config is not None else None
    return asked or request.output_format


def _last_user_text(messages: list[Message]) -> str:
    for message in reversed(messages):
        if message.role == "user" and (text := text_of(message.content, "\n")):
            return text
    return ""


def _tool_result(message: Message) -> str | None:
    if message.role != "user" or isinstance(message.content, str):
        return None
    results = [text_of(nested_content(part)) for part in message.content if part.type == "tool_result"]
    return " ".join(results) if results else None


def _prefill(message: Message) -> str | None:
    return text_of(message.content) if message.role == "assistant" else None


def _callable(tools: list[ToolSpec]) -> tuple[Tool, ...]:
    return tuple([Tool(tool.name, _schema(tool)) for tool in tools if tool.type in (None, "custom")])


def _schema(tool: ToolSpec) -> dict[str, Any]:
    schema: dict[str, Any] = msgspec.json.decode(bytes(tool.input_schema))
    return schema
