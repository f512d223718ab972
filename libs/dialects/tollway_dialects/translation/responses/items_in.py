"""Reads the items of a Responses request: messages, calls, their results, reasoning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.form.parts import (
    Document,
    Foreign,
    Image,
    Media,
    Part,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from tollway_dialects.translation.form.request import Role, Turn
from tollway_dialects.translation.wire.data_urls import media_of
from tollway_dialects.translation.wire.openai_fields import arguments_of
from tollway_dialects.translation.wire.signatures import thought_of

if TYPE_CHECKING:
    from tollway_dialects.translation.wire.node import Node

_US = Dialect.OPENAI_RESPONSES
_ROLES = {"system": Role.SYSTEM, "developer": Role.SYSTEM, "user": Role.USER, "assistant": Role.ASSISTANT}
# what OpenAI's own tools did; calls that the client carries out are none of them
_SERVER_CALLS = frozenset(
    {
        "web_search_call",
        "file_search_call",
        "image_generation_call",
        "code_interpreter_call",
        "mcp_call",
        "mcp_list_tools",
    }
)


def read_item(node: Node) -> Turn:
    kind = node.get("type", str) or "message"
    if kind in _SERVER_CALLS:
        return Turn(Role.ASSISTANT, (Foreign(kind, _US, node.rest() | {"type": kind}),))
    if kind == "message":
        turn = _message(node)
    elif kind == "function_call":
        turn = Turn(Role.ASSISTANT, (ToolCall(node.need("call_id", str), node.need("name", str), arguments_of(node)),))
    elif kind == "function_call_output":
        turn = Turn(Role.USER, (ToolResult(node.need("call_id", str), _parts(node, "output", Role.USER)),))
    elif kind == "reasoning":
        turn = Turn(Role.ASSISTANT, (_thought(node),))
    else:
        raise node.unknown(kind)
    node.skip("id", "status")  # names of OpenAI's own
    node.close()
    return turn


def _message(node: Node) -> Turn:
    role = node.need("role", str)
    if role not in _ROLES:
        raise node.refusal("role", "must be system, developer, user or assistant")
    return Turn(_ROLES[role], _parts(node, "content", _ROLES[role]), phase=node.get("phase", str))


def _parts(node: Node, field: str, role: Role) -> tuple[Part, ...]:
    if isinstance(node.peek(field), str):
        return (Text(node.need(field, str)),)
    if node.peek(field) is None:
        raise node.refusal(field, "Field required")
    return tuple(_part(part, role) for part in node.nodes(field))


def _part(node: Node, role: Role) -> Part:
    kind = node.need("type", str)
    part: Part
    if kind in ("input_text", "output_text", "text"):
        part = Text(node.need("text", str))
        node.skip("logprobs", *(() if node.peek("annotations") else ("annotations",)))
    elif kind == "refusal" and role is Role.ASSISTANT:
        part = Refusal(node.need("refusal", str))
    elif kind == "input_image" and role is Role.USER:
        part = _image(node)
    elif kind == "input_file" and role is Role.USER:
        part = _document(node)
    else:
        raise node.unknown(kind)
    node.close()
    return part


def _image(node: Node) -> Image:
    kept, url = node.get("file_id", str), node.get("image_url", str)
    if kept is not None:
        media = Media("file", kept, keeper=_US)
    elif url is not None:
        media = media_of(url)
    else:
        raise node.refusal("image_url", "Field required")
    return Image(media, node.get("detail", str))


def _document(node: Node) -> Document:
    kept, url, data = (node.get(name, str) for name in ("file_id", "file_url", "file_data"))
    if kept is not None:
        media = Media("file", kept, keeper=_US)
    elif url is not None:
        media = Media("url", url)
    elif data is not None and (held := media_of(data)).kind == "data":
        media = held
    else:
        raise node.refusal("file_data", "must be a data: URL in base64")
    return Document(media, name=node.get("filename", str))


def _thought(node: Node) -> Part:
    pieces = [piece for name in ("summary", "content") for piece in node.nodes(name)]
    texts = [piece.need("text", str) for piece in pieces]
    signature = node.get("encrypted_content", str) or ""
    return thought_of("\n\n".join(texts), signature, _US, identifier=node.get("id", str) or "")
