"""Reads what a Gemini request means, once it is known to be right; called by `validation`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tollway_simulator.domain.models import traits_of
from tollway_simulator.domain.prompt import Prompt, Segment, Tool
from tollway_simulator.domain.tokens import text_bytes

if TYPE_CHECKING:
    from tollway_simulator.entrypoints.google.schema import (
        Content,
        FunctionDeclaration,
        GenerationConfig,
        Request,
    )

JSON_OBJECT: dict[str, Any] = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}


def read_request(request: Request, model: str, binding: str, *, stream: bool) -> Prompt:
    """Return the prompt; the binding says for whom thought signatures hold."""
    config = request.generation_config
    mode, allowed = _choice(request)
    declared = declarations_of(request)
    system = request.system_instruction
    return Prompt(
        model=model,
        text=_last_user_text(request.contents),
        text_bytes=sum(map(_content_bytes, request.contents))
        + (_content_bytes(system) if system is not None else 0)
        + sum(map(_function_bytes, declared)),
        stream=stream,
        max_tokens=config.max_output_tokens if config is not None else None,
        tool_result=_tool_result(request.contents[-1]),
        prefill=_text_of(request.contents[-1]) if request.contents[-1].role == "model" else None,
        tools=tuple(map(_tool, declared)) if mode != "NONE" else (),
        must_call=mode == "ANY",
        forced_tool=allowed[0] if allowed and mode == "ANY" else "",
        thinking=_thinking(config, model),
        stop_sequences=tuple(filter(None, config.stop_sequences or ())) if config is not None else (),
        schema=_schema(config) if config is not None else None,
        choices=(config.candidate_count or 1) if config is not None else 1,
        segments=_segments(request, declared),
        binding=binding,
        request=request,
    )


def declarations_of(request: Request) -> list[FunctionDeclaration]:
    return [one for tool in request.tools or () for one in tool.function_declarations or ()]


def _segments(request: Request, declared: list[FunctionDeclaration]) -> tuple[Segment, ...]:
    """Return the prompt in the order of caching, which is on for all."""
    system = [] if request.system_instruction is None else [request.system_instruction]
    functions = [Segment(msgspec.json.encode(one), _function_bytes(one), "5m") for one in declared]
    turns = [Segment(msgspec.json.encode(one), _content_bytes(one), "5m") for one in (*system, *request.contents)]
    return (*functions, *turns)


def _choice(request: Request) -> tuple[str, list[str]]:
    config = request.tool_config.function_calling_config if request.tool_config is not None else None
    return ("AUTO", []) if config is None else (config.mode, config.allowed_function_names or [])


def _text_of(content: Content, separator: str = "") -> str:
    return separator.join([part.text for part in content.parts if part.text and not part.thought])


def _content_bytes(content: Content) -> int:
    total = 0
    for part in content.parts:
        if part.text is not None and not part.thought:
            total += text_bytes(part.text)
        elif part.function_call is not None:
            total += text_bytes(part.function_call.name) + len(msgspec.json.encode(part.function_call.args))
        elif part.function_response is not None:
            total += len(msgspec.json.encode(part.function_response.response))
    return total


def _function_bytes(one: FunctionDeclaration) -> int:
    return text_bytes(one.name + (one.description or "")) + len(msgspec.json.encode(_parameters(one)))


def _last_user_text(contents: list[Content]) -> str:
    for content in reversed(contents):
        if content.role != "model" and (text := _text_of(content, "\n")):
            return text
    return ""


def _tool_result(content: Content) -> str | None:
    results = [part.function_response for part in content.parts if part.function_response is not None]
    return " ".join([_said(one.response or {}) for one in results]) if results else None


def _said(response: dict[str, Any]) -> str:
    value = response.get("output", response.get("result", response))
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _tool(one: FunctionDeclaration) -> Tool:
    return Tool(one.name, _parameters(one))


def _parameters(one: FunctionDeclaration) -> dict[str, Any]:
    if one.parameters_json_schema is not None:
        schema: dict[str, Any] = one.parameters_json_schema
        return schema
    return as_json_schema(msgspec.to_builtins(one.parameters)) if one.parameters is not None else {}


def as_json_schema(given: Any) -> Any:
    """Return Google's schema with types in lower case and without what is not said."""
    if isinstance(given, list):
        return [as_json_schema(one) for one in given]
    if not isinstance(given, dict):
        return given
    schema = {name: as_json_schema(value) for name, value in given.items() if value is not None}
    if isinstance(schema.get("type"), str):
        schema["type"] = schema["type"].lower()
    is_written = {name for name in _COUNTS if isinstance(schema.get(name), str)}
    return {name: int(value) if name in is_written else value for name, value in schema.items()}


# Google writes whole numbers as text, too
_COUNTS = {"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"}


def _thinking(config: GenerationConfig | None, model: str) -> Literal["", "shown", "hidden"]:
    asked = config.thinking_config if config is not None else None
    if asked is None:
        return "hidden" if traits_of(model).has("T") else ""
    if asked.thinking_budget == 0:
        return ""
    return "shown" if asked.include_thoughts else "hidden"


def _schema(config: GenerationConfig) -> dict[str, Any] | None:
    if config.response_json_schema is not None:
        schema: dict[str, Any] = config.response_json_schema
        return schema
    if config.response_schema is not None:
        converted: dict[str, Any] = as_json_schema(msgspec.to_builtins(config.response_schema))
        return converted
    return JSON_OBJECT if config.response_mime_type == "application/json" else None
