"""What the gateway reads of a prompt, and how it puts a system text before one; every dialect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.dialect import LIKE_RESPONSES, Dialect
from tollway_dialects.request import MalformedRequest
from tollway_dialects.turns import raw_turns

if TYPE_CHECKING:
    from tollway_dialects.request import RequestBody

_PICTURES = frozenset({"image", "image_url", "document", "file", "input_image", "input_file"})


class _Part(msgspec.Struct):
    type: str = "text"
    text: str = ""


class _Message(msgspec.Struct):
    role: str = ""
    content: str | list[_Part] | None = None


class _Thinking(msgspec.Struct):
    type: str = ""


class _Reasoning(msgspec.Struct):
    effort: str | None = None


@dataclass(frozen=True, slots=True)
class PromptFeatures:
    """What a classifier judges a prompt by."""

    last_user_text: str
    turn_count: int
    tool_count: int
    has_images: bool
    wants_thinking: bool


def prompt_features(body: RequestBody, dialect: Dialect) -> PromptFeatures:
    messages = _messages(body, dialect)
    users = [message for message in messages if message.role == "user"]
    return PromptFeatures(
        # a message of tool results alone has no text: the question is an earlier one
        last_user_text=next(filter(None, map(_text, reversed(users))), ""),
        turn_count=len(messages),
        tool_count=len(body.get("tools", list[msgspec.Raw]) or []),
        has_images=any(
            part.type in _PICTURES for user in users if isinstance(user.content, list) for part in user.content
        ),
        wants_thinking=_wants_thinking(body),
    )


def _messages(body: RequestBody, dialect: Dialect) -> list[_Message]:
    if dialect is Dialect.OPENAI_EMBEDDINGS:
        return []
    if dialect not in LIKE_RESPONSES:
        return body.get("messages", list[_Message]) or []
    said: Any = body.get("input", str | list[_Message])  # type: ignore[arg-type]
    return [_Message("user", said)] if isinstance(said, str) else said or []


def _wants_thinking(body: RequestBody) -> bool:
    thinking, reasoning = body.get("thinking", _Thinking), body.get("reasoning", _Reasoning)
    effort = body.get("reasoning_effort", str) or (reasoning and reasoning.effort)
    return bool(thinking and thinking.type != "disabled") or effort not in (None, "none")


def _text(message: _Message) -> str:
    if isinstance(message.content, str):
        return message.content
    return "\n".join(part.text for part in message.content or [] if part.text)


def prepend_system(body: RequestBody, dialect: Dialect, text: str, change: str = "prompt") -> None:
    """Put a system text before the client's own, noted as `change`; every other value keeps its bytes."""
    if dialect is Dialect.OPENAI_CHAT:
        body.set("messages", [{"role": "system", "content": text}, *raw_turns(body, dialect)], change)
        return
    if dialect is Dialect.OPENAI_EMBEDDINGS:
        raise MalformedRequest("prompt: nothing goes before an input that is embedded")
    field = "instructions" if dialect in LIKE_RESPONSES else "system"
    system: Any = body.get(field, str | list[msgspec.Raw])  # type: ignore[arg-type]
    if isinstance(system, list):
        first = {"role": "system", "content": text} if field == "instructions" else {"type": "text", "text": text}
        body.set(field, [first, *system], change)
    else:
        body.set(field, f"{text}\n\n{system}" if system else text, change)
