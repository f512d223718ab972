"""Writes a chat completions request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_dialects.translation.chat.messages_out import system_message, turn_messages
from tollway_dialects.translation.features import BILLING
from tollway_dialects.translation.wire.joined_turns import joined_turns
from tollway_dialects.translation.wire.openai_fields import is_strict, write_format, write_function, write_thinking

if TYPE_CHECKING:
    from tollway_dialects.translation.form.parts import Json
    from tollway_dialects.translation.form.request import Format, Request, Tool, ToolChoice
    from tollway_dialects.translation.models.capabilities import ModelCapabilities

_SAMPLING = (
    *("temperature", "top_p", "seed", "frequency_penalty", "presence_penalty"),
    *("logit_bias", "logprobs", "top_logprobs"),
)
# what chat takes as `stop`
_MOST_STOPS = 4


def write_request(request: Request, model: ModelCapabilities) -> Json:
    system = tuple(text for text in request.system if not text.text.startswith(BILLING))
    messages = [system_message(system)] if system else []
    for turn in joined_turns(request.turns):
        messages += turn_messages(turn, model)
    body: Json = {"model": request.model, "messages": messages}
    if request.max_tokens is not None:
        body[model.names_limit] = request.max_tokens
    _add_tools(body, request)
    if model.names_thinking and request.thinking.mode == "off":
        body["thinking"] = {"type": "disabled"}
    elif (effort := write_thinking(request)) is not None:
        body["reasoning_effort"] = effort
    if request.format:
        body["response_format"] = _format(request.format)
    if request.stop:
        body["stop"] = list(request.stop[:_MOST_STOPS])
    _add_settings(body, request)
    if request.is_stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def _add_settings(body: Json, request: Request) -> None:
    for name in _SAMPLING:
        if (value := getattr(request.sampling, name)) is not None:
            body[name] = value
    further: dict[str, Any] = {"n": request.choices, "safety_identifier": request.end_user}
    body |= {name: value for name, value in further.items() if value is not None}
    body |= request.shared


def _add_tools(body: Json, request: Request) -> None:
    if not request.tools:
        return
    body["tools"] = [_tool(tool) for tool in request.tools]
    if request.tool_choice:
        body["tool_choice"] = _tool_choice(request.tool_choice)
    if request.parallel is not None:
        body["parallel_tool_calls"] = request.parallel


def _tool(tool: Tool) -> Json:
    function = write_function(tool)
    if (strict := is_strict(tool)) is not None:
        function["strict"] = strict
    return {"type": "function", "function": function}


def _tool_choice(choice: ToolChoice) -> str | Json:
    if choice.allowed is not None:
        tools = [{"type": "function", "function": {"name": name}} for name in choice.allowed]
        return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": tools}}
    if choice.mode == "named":
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode


def _format(wanted: Format) -> Json:
    if wanted.schema is None:
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": write_format(wanted)}
