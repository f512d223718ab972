"""Writes the content blocks of a Messages request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.form.parts import (
    Document,
    Foreign,
    Image,
    Refusal,
    SearchResult,
    Text,
    Thought,
    ToolCall,
    ToolResult,
)
from tollway_dialects.translation.wire.data_urls import text_in
from tollway_dialects.translation.wire.tool_ids import valid_tool_id

if TYPE_CHECKING:
    from tollway_dialects.translation.form.parts import Json, Media, Part


def write_part(part: Part) -> list[Json]:
    """Return the blocks of a part: none for what another vendor's model thought."""
    match part:
        case Text():
            return [write_text(part)] if part.text else []
        case Refusal():
            return [{"type": "text", "text": part.text}] if part.text else []
        case Image():
            return [_marked({"type": "image", "source": _source(part.media)}, part.cache)]
        case Document():
            return [_document(part)]
        case SearchResult():
            return [_search_result(part)]
        case Thought():
            return [_thought(part)] if part.origin is Dialect.ANTHROPIC_MESSAGES and part.signature else []
        case ToolCall():
            called = {"type": "tool_use", "id": valid_tool_id(part.id), "name": part.name}
            return [_marked(called | {"input": msgspec.json.decode(part.arguments)}, part.cache)]
        case ToolResult():
            return [_tool_result(part)]
        case Foreign():
            return [part.raw] if part.origin is Dialect.ANTHROPIC_MESSAGES else []


def write_text(text: Text) -> Json:
    block: Json = {"type": "text", "text": text.text}
    if text.citations:
        block["citations"] = list(text.citations)
    return _marked(block, text.cache)


def _marked(block: Json, cache: Json | None) -> Json:
    return block if cache is None else block | {"cache_control": cache}


def _source(media: Media) -> Json:
    if media.kind == "data":
        return {"type": "base64", "media_type": media.mime, "data": media.value}
    if media.kind == "url":
        return {"type": "url", "url": media.value}
    return {"type": "file", "file_id": media.value}


def _document(part: Document) -> Json:
    if part.media is None:
        source: Json = {"type": "content", "content": [block for each in part.parts for block in write_part(each)]}
    elif (text := text_in(part.media)) is not None:
        source = {"type": "text", "media_type": "text/plain", "data": text}
    else:
        source = _source(part.media)
    block: Json = {"type": "document", "source": source}
    further: list[tuple[str, Any]] = [("title", part.name), ("context", part.context)]
    block |= {name: value for name, value in further if value is not None}
    if part.is_cited:
        block["citations"] = {"enabled": True}
    return _marked(block, part.cache)


def _search_result(part: SearchResult) -> Json:
    texts = [{"type": "text", "text": text} for text in part.texts]
    block: Json = {"type": "search_result", "source": part.source, "title": part.title, "content": texts}
    if part.is_cited:
        block["citations"] = {"enabled": True}
    return _marked(block, part.cache)


def _thought(part: Thought) -> Json:
    if part.is_redacted:
        return {"type": "redacted_thinking", "data": part.signature}
    return {"type": "thinking", "thinking": part.text, "signature": part.signature}


def _tool_result(part: ToolResult) -> Json:
    block: Json = {"type": "tool_result", "tool_use_id": valid_tool_id(part.id)}
    match part.parts:
        case ():
            pass
        case (Text(text=text, cache=None),):
            block["content"] = text
        case parts:
            block["content"] = [inner for each in parts for inner in write_part(each)]
    if part.is_error:
        block["is_error"] = True
    return _marked(block, part.cache)
