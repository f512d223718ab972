"""What the gateway reads of a prompt, and how it puts a system text before one; both dialects."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.request import MalformedRequest

if TYPE_CHECKING:
    from tollway_dialects.request import RequestBody

_PICTURES = frozenset({"image", "image_url", "document", "file"})
# Claude Code's first system block, which differs from start to start
_BILLING = b'"x-anthropic-billing-header:'


class _Part(msgspec.Struct):
    type: str = "text"
    text: str = ""


class _Message(msgspec.Struct):
    role: str = ""
    content: str | list[_Part] | None = None


class _RawMessage(msgspec.Struct):
    role: str = ""
    content: msgspec.Raw = msgspec.Raw(b"null")


class _Thinking(msgspec.Struct):
    type: str = ""


_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_RAW_MESSAGE = msgspec.json.Decoder(_RawMessage)
_RAW_PARTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


@dataclass(frozen=True, slots=True)
class PromptFeatures:
    """What a classifier judges a prompt by."""

    last_user_text: str
    turn_count: int
    tool_count: int
    has_images: bool
    wants_thinking: bool


def prompt_features(body: RequestBody) -> PromptFeatures:
    messages = body.get("messages", list[_Message]) or []
    users = [message for message in messages if message.role == "user"]
    thinking = body.get("thinking", _Thinking)
    return PromptFeatures(
        # a message of tool results alone has no text: the question is an earlier one
        last_user_text=next(filter(None, map(_text, reversed(users))), ""),
        turn_count=len(messages),
        tool_count=len(body.get("tools", list[msgspec.Raw]) or []),
        has_images=any(
            part.type in _PICTURES for user in users if isinstance(user.content, list) for part in user.content
        ),
        wants_thinking=bool(thinking and thinking.type != "disabled")
        or body.get("reasoning_effort", str) not in (None, "none"),
    )


def _text(message: _Message) -> str:
    if isinstance(message.content, str):
        return message.content
    return "\n".join(part.text for part in message.content or [] if part.text)


def conversation_hash(body: RequestBody, workspace: str) -> bytes:
    """Return the same 32 bytes for every turn of a conversation: over workspace, system and first user message."""
    pieces: list[bytes | msgspec.Raw] = [workspace.encode()]
    if system := body.fields.get("system"):
        _add_content(pieces, system)
    for raw in _raw_messages(body):
        try:
            message = _RAW_MESSAGE.decode(raw)
        except (ValueError, RecursionError):
            pieces.append(raw)  # whatever it is, the provider judges it
            continue
        pieces.append(message.role.encode())
        _add_content(pieces, message.content)
        if message.role == "user":
            break
    return hashlib.sha256(b",".join(pieces)).digest()


def _add_content(pieces: list[bytes | msgspec.Raw], content: msgspec.Raw) -> None:
    """Add text or parts, less what changes from turn to turn: cache marks, and whether a text stands in a list."""
    if bytes(memoryview(content)[:1]) != b"[":
        pieces += (b"type", b'"text"', b"text", content)
        return
    try:
        parts = _RAW_PARTS.decode(content)
    except (ValueError, RecursionError):
        pieces.append(content)
        return
    for part in parts:
        part.pop("cache_control", None)
        if bytes(memoryview(part.get("text", b""))[: len(_BILLING)]) != _BILLING:
            for name, value in part.items():
                pieces += (name.encode(), value)


def prepend_system(body: RequestBody, dialect: Dialect, text: str) -> None:
    """Put a system text before the client's own; every other value keeps its bytes."""
    if dialect is Dialect.OPENAI_CHAT:
        body.set("messages", [{"role": "system", "content": text}, *_raw_messages(body)], "prompt")
        return
    system: Any = body.get("system", str | list[msgspec.Raw])  # type: ignore[arg-type]
    if isinstance(system, list):
        body.set("system", [{"type": "text", "text": text}, *system], "prompt")
    else:
        body.set("system", f"{text}\n\n{system}" if system else text, "prompt")


def _raw_messages(body: RequestBody) -> list[msgspec.Raw]:
    raw = body.fields.get("messages")
    if raw is None:
        raise MalformedRequest("messages: field required")
    try:
        return _RAWS.decode(raw)
    except (ValueError, RecursionError):
        raise MalformedRequest("messages: must be a list") from None
