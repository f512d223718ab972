"""Writes the messages of a chat completions request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.form.parts import (
    Document,
    Image,
    Refusal,
    SearchResult,
    Text,
    Thought,
    ToolCall,
    ToolResult,
)
from tollway_dialects.translation.form.request import Role
from tollway_dialects.translation.wire.data_urls import url_of
from tollway_dialects.translation.wire.plain_parts import plain_parts
from tollway_dialects.translation.wire.tool_ids import valid_tool_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tollway_dialects.translation.form.parts import Json, Part
    from tollway_dialects.translation.form.request import Turn
    from tollway_dialects.translation.models.capabilities import ModelCapabilities

_IMAGES_FOLLOW = "The images that tools returned:"


def system_message(texts: Sequence[Text]) -> Json:
    return {"role": "system", "content": _content(texts)}


def turn_messages(turn: Turn, model: ModelCapabilities) -> list[Json]:
    """Return a turn as messages: each tool result is one of its own."""
    named = {"name": turn.name} if turn.name else {}
    if turn.role is Role.SYSTEM:
        return [system_message([part for part in turn.parts if isinstance(part, Text)]) | named]
    if turn.role is Role.ASSISTANT:
        message = _assistant(turn.parts, model)
        return [message | named] if message.keys() - {"role", "reasoning_content"} else []
    messages: list[Json] = []
    shown: list[Part] = []
    for part in turn.parts:
        if isinstance(part, ToolResult):
            message, images = _tool_message(part)
            messages.append(message)
            shown += images
    said: list[Part] = [part for part in turn.parts if not isinstance(part, ToolResult)]
    if shown:  # a tool's message takes text alone
        said = [Text(_IMAGES_FOLLOW), *shown, *said]
    if said or not messages:
        messages.append({"role": "user", "content": _content(plain_parts(said))} | named)
    return messages


def _tool_message(result: ToolResult) -> tuple[Json, list[Part]]:
    parts = plain_parts(result.parts)
    texts = [part for part in parts if isinstance(part, Text)]
    if result.is_error:
        texts = [Text(f"Error: {texts[0].text}" if texts else "Error"), *texts[1:]]
    content = _content(texts) if texts else ""
    message = {"role": "tool", "tool_call_id": valid_tool_id(result.id), "content": content}
    return message, [part for part in parts if not isinstance(part, Text)]


def _assistant(parts: Iterable[Part], model: ModelCapabilities) -> Json:
    message: Json = {"role": "assistant"}
    texts, refusals, calls, thoughts = [], [], [], []
    for part in parts:
        match part:
            case Text():
                texts.append(part)
            case Refusal():
                refusals.append(part.text)
            case ToolCall():
                calls.append(_call(part))
            case Thought(origin=Dialect.OPENAI_CHAT):
                thoughts.append(part.text)
            case _:
                pass  # listed as dropped
    if texts or refusals or calls:
        message["content"] = _content(texts) if texts else None
    if refusals:
        message["refusal"] = "".join(refusals)
    if calls:
        message["tool_calls"] = calls
    if model.wants_reasoning_content and (thoughts or calls):
        message["reasoning_content"] = "".join(thoughts)
    return message


def _call(part: ToolCall) -> Json:
    function = {"name": part.name, "arguments": part.arguments}
    return {"id": valid_tool_id(part.id), "type": "function", "function": function}


def _content(parts: Sequence[Part]) -> str | list[Json]:
    match parts:
        case [Text(text=text)]:
            return text
        case _:
            return [_part(part) for part in parts]


def _part(part: Part) -> Json:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image():
            detail = {} if part.detail is None else {"detail": part.detail}
            return {"type": "image_url", "image_url": {"url": url_of(part.media)} | detail}
        case Document(media=media) if media:
            if media.kind == "file":
                return {"type": "file", "file": {"file_id": media.value}}
            return {"type": "file", "file": {"filename": part.name or "document.pdf", "file_data": url_of(media)}}
        case SearchResult() | _:
            raise TypeError(f"{type(part).__name__} is no part of a message")
