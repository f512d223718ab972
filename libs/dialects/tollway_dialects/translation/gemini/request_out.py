"""Writes a generateContent request; the model and whether it streams stand in its path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tollway_dialects.translation.errors import Untranslatable
from tollway_dialects.translation.features import BILLING
from tollway_dialects.translation.form.parts import ToolCall
from tollway_dialects.translation.form.request import Role
from tollway_dialects.translation.gemini.parts_out import assistant_parts, user_parts
from tollway_dialects.translation.wire.joined_turns import joined_turns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tollway_dialects.translation.form.parts import Json
    from tollway_dialects.translation.form.request import Request, Tool, Turn
    from tollway_dialects.translation.models.capabilities import ModelCapabilities

_MODES = {"auto": "AUTO", "required": "ANY", "named": "ANY", "none": "NONE"}
_SAMPLING = {"temperature": "temperature", "top_p": "topP", "top_k": "topK", "seed": "seed"}
_NAME = re.compile(r"[a-zA-Z0-9_.:-]{1,128}")


def write_request(request: Request, model: ModelCapabilities) -> Json:
    system = [text.text for text in request.system if not text.text.startswith(BILLING)]
    body: Json = {"contents": _contents(request.turns, model)}
    if system:
        body["systemInstruction"] = {"parts": [{"text": text} for text in system]}
    _add_tools(body, request)
    if config := _generation(request):
        body["generationConfig"] = config
    return body


def _contents(turns: Sequence[Turn], model: ModelCapabilities) -> list[Json]:
    names = {part.id: part.name for turn in turns for part in turn.parts if isinstance(part, ToolCall)}
    contents = []
    for turn in joined_turns(turns):
        if turn.role is Role.ASSISTANT:
            role, parts = "model", assistant_parts(turn.parts, needs_signature=model.wants_call_signatures)
        else:
            role, parts = "user", user_parts(turn.parts, names)
        if parts:
            contents.append({"role": role, "parts": parts})
    return contents


def _add_tools(body: Json, request: Request) -> None:
    choice = request.tool_choice
    # ANY takes a list of those that are allowed; with AUTO the others are not declared
    shown = choice.allowed if choice and choice.mode == "auto" else None
    tools = [_tool(tool) for tool in request.tools if shown is None or tool.name in shown]
    if not tools:
        return
    body["tools"] = [{"functionDeclarations": tools}]
    if choice:
        config: Json = {"mode": _MODES[choice.mode]}
        if choice.mode == "named":
            config["allowedFunctionNames"] = [choice.name]
        elif choice.mode == "required" and choice.allowed is not None:
            config["allowedFunctionNames"] = list(choice.allowed)
        body["toolConfig"] = {"functionCallingConfig": config}


def _tool(tool: Tool) -> Json:
    if not _NAME.fullmatch(tool.name):
        raise Untranslatable("tools", "a name must have at most 128 of the characters a-z, A-Z, 0-9, _, ., : and -")
    written: Json = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    # `parameters` would take a part of JSON Schema only, and refuse the request for the rest
    return written | ({"parametersJsonSchema": tool.schema} if tool.schema else {})


def _generation(request: Request) -> Json:
    config: Json = {
        theirs: value for name, theirs in _SAMPLING.items() if (value := getattr(request.sampling, name)) is not None
    }
    if request.max_tokens is not None:
        config["maxOutputTokens"] = request.max_tokens
    if request.stop:
        config["stopSequences"] = list(request.stop)
    if request.format:
        config["responseMimeType"] = "application/json"
        if request.format.schema is not None:
            config["responseJsonSchema"] = request.format.schema
    if thinking := _thinking(request):
        config["thinkingConfig"] = thinking
    return config


def _thinking(request: Request) -> Json:
    thinking, config = request.thinking, {}
    if thinking.shown is not None or thinking.budget is not None:  # who sets a budget expects to see what it buys
        config["includeThoughts"] = thinking.shown != "none"
    if thinking.mode == "off":
        return config | {"thinkingBudget": 0}
    if thinking.budget is not None:
        return config | {"thinkingBudget": thinking.budget}
    return config | ({"thinkingLevel": thinking.effort.upper()} if thinking.effort else {})
