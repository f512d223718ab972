"""Writes the items of a Responses request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.form.parts import (
    Document,
    Foreign,
    Image,
    Refusal,
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
    from collections.abc import Iterable

    from tollway_dialects.translation.form.parts import Json, Part
    from tollway_dialects.translation.form.request import Turn

_US = Dialect.OPENAI_RESPONSES
_ROLES = {Role.SYSTEM: "developer", Role.USER: "user", Role.ASSISTANT: "assistant"}


def turn_items(turn: Turn) -> list[Json]:
    """Return a turn as items, in order: what is said between them, calls, results and reasoning one each."""
    items: list[Json] = []
    said: list[Part] = []
    for part in turn.parts:
        if (item := _item(part)) is None:
            said.append(part)
            continue
        items += _message(turn, said)
        said = []
        if item:
            items.append(item)
    return items + _message(turn, said)


def _item(part: Part) -> Json | None:
    """Return what is an item of its own, empty where it is dropped; None where the part belongs to a message."""
    match part:
        case ToolCall():
            call_id = valid_tool_id(part.id)
            return {"type": "function_call", "call_id": call_id, "name": part.name, "arguments": part.arguments}
        case ToolResult():
            return {"type": "function_call_output", "call_id": valid_tool_id(part.id), "output": _output(part)}
        case Thought():
            return _reasoning(part) if part.origin is _US and part.signature else {}
        case Foreign():
            return part.raw if part.origin is _US else {}
        case _:
            return None


def _reasoning(part: Thought) -> Json:
    summary = [{"type": "summary_text", "text": part.text}] if part.text else []
    named = {"id": part.id} if part.id else {}
    return {"type": "reasoning", **named, "summary": summary, "encrypted_content": part.signature}


def _output(result: ToolResult) -> str | list[Json]:
    parts = plain_parts(result.parts)
    if result.is_error:
        first = f"Error: {parts[0].text}" if parts and isinstance(parts[0], Text) else "Error"
        parts = [Text(first), *(parts[1:] if parts and isinstance(parts[0], Text) else parts)]
    match parts:
        case []:
            return ""
        case [Text(text=text)]:
            return text
        case _:
            return [_part(part, Role.USER) for part in parts]


def _message(turn: Turn, said: Iterable[Part]) -> list[Json]:
    parts = plain_parts(said)
    if not parts:
        return []
    phase = {"phase": turn.phase} if turn.phase else {}
    content: str | list[Json]
    match parts:
        case [Text(text=text)] if turn.role is not Role.ASSISTANT:
            content = text
        case _:
            content = [_part(part, turn.role) for part in parts]
    return [{"type": "message", "role": _ROLES[turn.role], "content": content} | phase]


def _part(part: Part, role: Role) -> Json:
    match part:
        case Text():
            return {"type": "output_text" if role is Role.ASSISTANT else "input_text", "text": part.text}
        case Refusal():
            return {"type": "refusal", "refusal": part.text}
        case Image():
            detail = {} if part.detail is None else {"detail": part.detail}
            place = {"file_id": part.media.value} if part.media.kind == "file" else {"image_url": url_of(part.media)}
            return {"type": "input_image", **place, **detail}
        case Document(media=media) if media:
            named = {} if part.name is None else {"filename": part.name}
            if media.kind == "file":
                return {"type": "input_file", "file_id": media.value}
            if media.kind == "url":
                return {"type": "input_file", "file_url": media.value} | named
            return {"type": "input_file", "filename": part.name or "document.pdf", "file_data": url_of(media)}
        case _:
            raise TypeError(f"{type(part).__name__} is no part of a message")
