"""Writes the parts of a generateContent request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.errors import Untranslatable
from tollway_dialects.translation.form.parts import Document, Image, Refusal, Text, Thought, ToolCall, ToolResult
from tollway_dialects.translation.wire.plain_parts import plain_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tollway_dialects.translation.form.parts import Json, Part

# what the provider documents for calls that another model made
STAND_IN = "skip_thought_signature_validator"


def assistant_parts(parts: Iterable[Part], *, needs_signature: bool) -> list[Json]:
    """Return a turn's parts, each signature on the part that follows it; of parallel calls the first has one."""
    written: list[Json] = []
    signature, has_call = "", False
    for part in parts:
        if isinstance(part, Thought):
            if part.origin is Dialect.GEMINI:
                written += [{"text": part.text, "thought": True}] if part.text else []
                signature = part.signature or signature
            continue
        block = _said(part)
        if block is None:
            continue
        if signature:
            block["thoughtSignature"] = signature
        elif needs_signature and isinstance(part, ToolCall) and not has_call:
            block["thoughtSignature"] = STAND_IN
        has_call |= isinstance(part, ToolCall)
        signature = ""
        written.append(block)
    return [*written, {"text": "", "thoughtSignature": signature}] if signature else written


def _said(part: Part) -> Json | None:
    match part:
        case Text(text=text) | Refusal(text=text):
            return {"text": text} if text else None
        case ToolCall():
            return {"functionCall": {"id": part.id, "name": part.name, "args": msgspec.json.decode(part.arguments)}}
        case _:
            return None  # listed as dropped


def user_parts(parts: Iterable[Part], names: Mapping[str, str]) -> list[Json]:
    """Return a turn's parts; a tool result names its tool, which `names` knows by the call's id."""
    written = []
    for part in plain_parts(parts):
        if isinstance(part, ToolResult):
            written.append(_function_response(part, names))
        elif not isinstance(part, Text) or part.text:
            written.append(_part(part))
    return written


def _function_response(result: ToolResult, names: Mapping[str, str]) -> Json:
    if result.id not in names:
        raise Untranslatable("messages", "a tool result must follow the call that it answers")
    parts = plain_parts(result.parts)
    said = "\n".join(part.text for part in parts if isinstance(part, Text))
    written: dict[str, Any] = {"id": result.id, "name": names[result.id]}
    written["response"] = {"error" if result.is_error else "output": said}
    if shown := [_part(part) for part in parts if not isinstance(part, Text)]:
        written["parts"] = shown
    return {"functionResponse": written}


def _part(part: Part) -> Json:
    match part:
        case Text():
            return {"text": part.text}
        case Image(media=media) | Document(media=media) if media and media.kind == "data":
            return {"inlineData": {"mimeType": media.mime, "data": media.value}}
        case _:
            raise TypeError(f"{type(part).__name__} is no part of a turn")
