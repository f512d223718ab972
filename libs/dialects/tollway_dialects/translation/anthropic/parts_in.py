"""Reads the content blocks of a Messages request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.form.parts import (
    Document,
    Foreign,
    Image,
    Media,
    Part,
    SearchResult,
    Text,
    Thought,
    ToolCall,
    ToolResult,
)
from tollway_dialects.translation.form.request import Role
from tollway_dialects.translation.wire.signatures import thought_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tollway_dialects.translation.wire.node import Node

_RESULT = "tool_result"
_US = Dialect.ANTHROPIC_MESSAGES


def read_part(node: Node, role: str) -> Part:
    """Read one block; of the assistant's, those of Anthropic's own tools are kept as they are."""
    kind = node.need("type", str)
    if kind in _TAKEN[role]:
        part = _READERS[kind](node)
        node.close()
        return part
    if role != Role.ASSISTANT or kind in _READERS:
        raise node.unknown(kind)
    return Foreign(kind, _US, node.rest() | {"type": kind})


def read_texts(nodes: Iterable[Node]) -> tuple[Text, ...]:
    """Read blocks that must be texts."""
    texts = []
    for node in nodes:
        part = read_part(node, Role.SYSTEM)
        if not isinstance(part, Text):
            raise node.refusal("type", "must be text")
        texts.append(part)
    return tuple(texts)


def _text(node: Node) -> Text:
    citations = tuple(node.get("citations", list[dict[str, Any]]) or ())
    return Text(node.need("text", str), node.object("cache_control"), citations)


def _media(node: Node) -> Media:
    kind = node.need("type", str)
    if kind in ("base64", "text"):
        media = Media("data" if kind == "base64" else "text", node.need("data", str), node.need("media_type", str))
    elif kind == "url":
        media = Media("url", node.need("url", str))
    elif kind == "file":
        media = Media("file", node.need("file_id", str), keeper=_US)
    else:
        raise node.unknown(kind)
    node.close()
    return media


def _source(node: Node) -> Node:
    source = node.node("source")
    if source is None:
        raise node.refusal("source", "Field required")
    return source


def _image(node: Node) -> Image:
    return Image(_media(_source(node)), cache=node.object("cache_control"))


def _document(node: Node) -> Document:
    source = _source(node)
    media: Media | None = None
    parts: tuple[Text | Image, ...] = ()
    if source.peek("type") == "content":
        source.skip("type")
        parts = tuple(part for part in _content(source) if isinstance(part, Text | Image))
        source.close()
    else:
        media = _media(source)
    return Document(
        media,
        parts,
        name=node.get("title", str),
        context=node.get("context", str),
        is_cited=_is_cited(node),
        cache=node.object("cache_control"),
    )


def _is_cited(node: Node) -> bool:
    citations = node.object("citations") or {}
    return citations.get("enabled") is True


def _search_result(node: Node) -> SearchResult:
    texts = tuple(text.text for text in read_texts(node.nodes("content")))
    title, source = node.need("title", str), node.need("source", str)
    return SearchResult(title, source, texts, _is_cited(node), node.object("cache_control"))


def _thinking(node: Node) -> Thought:
    return thought_of(node.need("thinking", str), node.need("signature", str), _US)


def _redacted(node: Node) -> Thought:
    return thought_of("", node.need("data", str), _US, is_redacted=True)


def _tool_use(node: Node) -> ToolCall:
    arguments = msgspec.json.encode(node.need("input", dict[str, Any])).decode()
    node.skip("caller")
    return ToolCall(node.need("id", str), node.need("name", str), arguments, node.object("cache_control"))


def _content(node: Node) -> tuple[Part, ...]:
    if isinstance(node.peek("content"), str):
        return (Text(node.need("content", str)),)
    return tuple(read_part(part, _RESULT) for part in node.nodes("content"))


def _tool_result(node: Node) -> ToolResult:
    return ToolResult(
        node.need("tool_use_id", str),
        _content(node),
        is_error=node.get("is_error", bool) or False,
        cache=node.object("cache_control"),
    )


_READERS: dict[str, Callable[[Node], Part]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
}
_GIVEN = frozenset({"text", "image", "document", "search_result"})
# which blocks stand where
_TAKEN = {
    Role.SYSTEM: frozenset({"text"}),
    Role.USER: _GIVEN | {"tool_result"},
    Role.ASSISTANT: frozenset({"text", "thinking", "redacted_thinking", "tool_use"}),
    _RESULT: _GIVEN,
}
