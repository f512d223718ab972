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

_MESSAGES = msgspec.json.Decoder(list[msgspec.Raw])
_PICTURES = frozenset({"image", "image_url", "document", "file"})


class _Part(msgspec.Struct):
    type: str = "text"
    text: str = ""


class _Message(msgspec.Struct):
    role: str = ""
    content: str | list[_Part] | None = None


class _Thinking(msgspec.Struct):
    type: str = ""


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
    parts = users[-1].content if users else None
    text = parts if isinstance(parts, str) else "\n".join(part.text for part in parts or [] if part.text)
    thinking = body.get("thinking", _Thinking)
    return PromptFeatures(
        last_user_text=text,
        turn_count=len(messages),
        tool_count=len(body.get("tools", list[msgspec.Raw]) or []),
        has_images=any(
            part.type in _PICTURES for user in users if isinstance(user.content, list) for part in user.content
        ),
        wants_thinking=bool(thinking and thinking.type != "disabled") or "reasoning_effort" in body.fields,
    )


def conversation_hash(body: RequestBody, workspace: str) -> bytes:
    """Return the same 32 bytes for every turn of a conversation: over workspace, system and first user message."""
    digest = hashlib.sha256(workspace.encode())
    if system := body.fields.get("system"):
        digest.update(system)
    for message in _raw_messages(body):
        digest.update(message)
        if b'"user"' in bytes(message)[:64] or b'"user"' in bytes(message)[-64:]:
            break
    return digest.digest()


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
        return _MESSAGES.decode(raw)
    except msgspec.DecodeError:
        raise MalformedRequest("messages: must be a list") from None
