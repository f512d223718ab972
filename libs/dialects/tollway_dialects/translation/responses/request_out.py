"""Writes a Responses request: one that leaves nothing at the provider, since the client sends all of it each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.translation.features import BILLING
from tollway_dialects.translation.responses.items_out import turn_items
from tollway_dialects.translation.wire.openai_fields import is_strict, write_format, write_function, write_thinking

if TYPE_CHECKING:
    from tollway_dialects.translation.form.parts import Json
    from tollway_dialects.translation.form.request import Format, Request, Tool, ToolChoice
    from tollway_dialects.translation.models.capabilities import ModelCapabilities

_SHOWN = {"summarized": "auto"}


def write_request(request: Request, model: ModelCapabilities) -> Json:
    body: Json = {"model": request.model}
    if system := [text.text for text in request.system if not text.text.startswith(BILLING)]:
        body["instructions"] = "\n\n".join(system)
    body["input"] = [item for turn in request.turns for item in turn_items(turn)]
    if request.max_tokens is not None:
        body["max_output_tokens"] = request.max_tokens
    _add_tools(body, request)
    _add_text(body, request)
    _add_reasoning(body, request, model)
    for name in ("temperature", "top_p"):
        if (value := getattr(request.sampling, name)) is not None:
            body[name] = value
    if request.end_user is not None:
        body["safety_identifier"] = request.end_user
    body |= {"store": False} | {name: value for name, value in request.shared.items() if name != "verbosity"}
    if request.is_stream:
        body["stream"] = True
    return body


def _add_tools(body: Json, request: Request) -> None:
    if not request.tools:
        return
    body["tools"] = [_tool(tool) for tool in request.tools]
    if request.tool_choice:
        body["tool_choice"] = _tool_choice(request.tool_choice)
    if request.parallel is not None:
        body["parallel_tool_calls"] = request.parallel


def _tool(tool: Tool) -> Json:
    # here the default is strict, elsewhere it is not
    return {"type": "function", **write_function(tool), "strict": bool(is_strict(tool))}


def _tool_choice(choice: ToolChoice) -> str | Json:
    if choice.allowed is not None:
        tools = [{"type": "function", "name": name} for name in choice.allowed]
        return {"type": "allowed_tools", "mode": choice.mode, "tools": tools}
    if choice.mode == "named":
        return {"type": "function", "name": choice.name}
    return choice.mode


def _add_text(body: Json, request: Request) -> None:
    text: Json = {}
    if request.format:
        text["format"] = _format(request.format)
    if "verbosity" in request.shared:
        text["verbosity"] = request.shared["verbosity"]
    if text:
        body["text"] = text


def _format(wanted: Format) -> Json:
    if wanted.schema is None:
        return {"type": "json_object"}
    return {"type": "json_schema", **write_format(wanted)}


def _add_reasoning(body: Json, request: Request, model: ModelCapabilities) -> None:
    reasoning: Json = {}
    if (effort := write_thinking(request)) is not None:
        reasoning["effort"] = effort
    if request.thinking.shown not in (None, "none"):
        reasoning["summary"] = _SHOWN.get(request.thinking.shown or "", request.thinking.shown)
    if reasoning:
        body["reasoning"] = reasoning
    if request.wants_encrypted and model.efforts:  # a model that does not think refuses it
        body["include"] = ["reasoning.encrypted_content"]
