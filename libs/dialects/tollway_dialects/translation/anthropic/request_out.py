"""Writes a Messages request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_dialects.translation.anthropic.parts_out import write_part, write_text
from tollway_dialects.translation.form.parts import Text
from tollway_dialects.translation.wire.joined_turns import joined_turns

if TYPE_CHECKING:
    from tollway_dialects.translation.form.parts import Json
    from tollway_dialects.translation.form.request import Request, Tool, Turn
    from tollway_dialects.translation.models.capabilities import ModelCapabilities

_MODES = {"auto": "auto", "required": "any", "named": "tool", "none": "none"}
_SHOWN = {"none": "omitted", "auto": "summarized", "concise": "summarized", "detailed": "summarized"}


def write_request(request: Request, model: ModelCapabilities) -> Json:
    body: Json = {"model": request.model, "max_tokens": request.max_tokens}
    if request.system:
        body["system"] = _content(request.system)
    messages = map(_message, joined_turns(request.turns))
    body["messages"] = [message for message in messages if message["content"]]  # of some nothing is left
    _add_tools(body, request)
    _add_output(body, request)
    if request.stop:
        body["stop_sequences"] = list(request.stop)
    for name in ("temperature", "top_p", "top_k"):
        if (value := getattr(request.sampling, name)) is not None:
            body[name] = value
    if request.end_user is not None:
        body["metadata"] = {"user_id": request.end_user}
    if request.cache is not None:
        body["cache_control"] = request.cache
    if request.is_stream:
        body["stream"] = True
    return body


def _message(turn: Turn) -> Json:
    parts = [block for part in turn.parts for block in write_part(part)]
    if len(turn.parts) == 1 and isinstance(turn.parts[0], Text):
        return {"role": turn.role.value, "content": _content((turn.parts[0],))}
    return {"role": turn.role.value, "content": parts}


def _content(texts: tuple[Text, ...]) -> str | list[Json]:
    """A text alone needs no block, unless something is said of it."""
    if len(texts) == 1 and texts[0].cache is None and not texts[0].citations:
        return texts[0].text
    return [write_text(text) for text in texts if text.text]  # empty blocks are refused


def _add_tools(body: Json, request: Request) -> None:
    choice = request.tool_choice
    allowed = choice.allowed if choice else None
    # a list without the others says the same as one that allows some
    tools = [_tool(tool) for tool in request.tools if allowed is None or tool.name in allowed]
    if tools:
        body["tools"] = tools
    if choice is None and (request.parallel is None or not tools):
        return
    mode = choice.mode if choice else "auto"
    written: dict[str, Any] = {"type": _MODES[mode]}
    if choice and choice.name:
        written["name"] = choice.name
    if request.parallel is not None and mode != "none":
        written["disable_parallel_tool_use"] = not request.parallel
    body["tool_choice"] = written


def _tool(tool: Tool) -> Json:
    written: Json = {"name": tool.name, "input_schema": tool.schema or {"type": "object"}}
    for name, value in (("description", tool.description), ("strict", tool.strict), ("cache_control", tool.cache)):
        if value is not None:
            written[name] = value
    return written


def _add_output(body: Json, request: Request) -> None:
    thinking = request.thinking
    output: Json = {}
    if thinking.mode == "on" and thinking.budget is not None:
        body["thinking"] = {"type": "enabled", "budget_tokens": thinking.budget}
    elif thinking.mode is not None:
        kinds = {"on": "adaptive", "off": "disabled"}
        body["thinking"] = {"type": kinds.get(thinking.mode, thinking.mode)}
    if thinking.shown and "thinking" in body and thinking.mode != "off":
        body["thinking"]["display"] = _SHOWN.get(thinking.shown, thinking.shown)
    if thinking.effort is not None:
        output["effort"] = thinking.effort
    if request.format and request.format.schema is not None:
        output["format"] = {"type": "json_schema", "schema": request.format.schema}
    if output:
        body["output_config"] = output
