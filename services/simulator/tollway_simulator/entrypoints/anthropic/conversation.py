"""Whether the messages of a request make a conversation: roles, contents, tool calls and their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.entrypoints.anthropic.blocks import check_block
from tollway_simulator.entrypoints.anthropic.schema import nested_content

if TYPE_CHECKING:
    from tollway_simulator.entrypoints.anthropic.schema import Content, Message, Part


def check_conversation(messages: list[Message], binding: str) -> None:
    """Raise a Refusal where the provider would; messages of one role in a row are fine, as there."""
    if messages[0].role != "user" and next((one.role for one in messages if one.role != "system"), "") != "user":
        raise Refusal(400, 'messages: first message must use the "user" role', "messages")
    has_tools = False
    last = len(messages) - 1
    for index, message in enumerate(messages):
        content = message.content
        if isinstance(content, str):
            if not content or content.isspace():
                _check_blank(message, index, last)
            continue
        if not content:
            _check_blank(message, index, last)
        for place, part in enumerate(content):
            check_block(part, f"messages.{index}.content.{place}", message.role, binding)
            has_tools = has_tools or part.type in ("tool_use", "tool_result")
            if part.type == "tool_result":
                _check_nested(part, f"messages.{index}.content.{place}.tool_result", binding)
    if has_tools:
        _check_calls(messages)


def check_system(system: Content | None) -> None:
    if system is None or isinstance(system, str):
        return
    for index, part in enumerate(system):
        if part.type != "text":
            raise Refusal(400, f"system.{index}.type: Input should be 'text'", f"system.{index}.type")
        if not part.text:
            raise Refusal(400, "system: text content blocks must be non-empty", f"system.{index}")


def _check_blank(message: Message, index: int, last: int) -> None:
    if message.role == "assistant" and index == last and not message.content:
        return
    if message.content and isinstance(message.content, str):
        raise Refusal(400, "messages: text content blocks must contain non-whitespace text", f"messages.{index}")
    if message.role == "assistant":
        text = "all messages must have non-empty content except for the optional final assistant message"
    else:
        text = f"{message.role} messages must have non-empty content"
    raise Refusal(400, f"messages.{index}: {text}", f"messages.{index}.content")


def _check_nested(part: Part, where: str, binding: str) -> None:
    content = nested_content(part)
    if part.content and not bytes(part.content).lstrip().startswith((b'"', b"[", b"null")):
        raise Refusal(400, f"{where}.content: Input should be a valid list", f"{where}.content")
    if isinstance(content, str):
        return
    for index, inner in enumerate(content):
        check_block(inner, f"{where}.content.{index}", "user", binding)


def _check_calls(messages: list[Message]) -> None:
    """Every call has its result in the user's next turn, before anything else there, and no result is without call."""
    waiting: dict[str, int] = {}
    seen: set[str] = set()
    role = ""
    answered: set[str] = set()
    for index, message in enumerate(messages):
        if message.role == "system":
            continue
        if message.role == "assistant":
            if role == "user":
                _check_answered(waiting, answered)
                waiting, answered = {}, set()
            _note_calls(message, index, waiting, seen)
        else:
            _check_results(message, index, waiting, answered)
        role = message.role
    _check_answered(waiting, answered)


def _note_calls(message: Message, index: int, waiting: dict[str, int], seen: set[str]) -> None:
    for part in _parts(message):
        if part.type == "tool_use" and part.id is not None:
            if part.id in seen:
                raise Refusal(400, "messages: `tool_use` ids must be unique", f"messages.{index}")
            seen.add(part.id)
            waiting[part.id] = index


def _check_results(message: Message, index: int, waiting: dict[str, int], answered: set[str]) -> None:
    for place, part in enumerate(_parts(message)):
        where = f"messages.{index}.content.{place}"
        if part.type != "tool_result":
            _check_answered(waiting, answered)
            continue
        name = part.tool_use_id or ""
        if name not in waiting:
            message_ = f"unexpected `tool_use_id` found in `tool_result` blocks: {name}. Each `tool_result` block must "
            raise Refusal(
                400, f"{where}: {message_}have a corresponding `tool_use` block in the previous message.", where
            )
        if name in answered:
            text = f"each tool_use must have a single result. Found multiple `tool_result` blocks with id: {name}"
            raise Refusal(400, f"{where}: {text}", where)
        answered.add(name)
    if isinstance(message.content, str):
        _check_answered(waiting, answered)


def _check_answered(waiting: dict[str, int], answered: set[str]) -> None:
    missing = [name for name in waiting if name not in answered]
    if missing:
        at = f"messages.{waiting[missing[0]]}"
        text = (
            f"`tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(missing)}. "
            "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
        )
        raise Refusal(400, f"{at}: {text}", at)


def _parts(message: Message) -> list[Part]:
    return [] if isinstance(message.content, str) else message.content
