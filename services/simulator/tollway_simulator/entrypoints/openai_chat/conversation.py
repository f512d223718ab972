"""Whether the messages of a chat completion make a conversation; called by `validation`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.entrypoints.bodies import decode_part
from tollway_simulator.entrypoints.openai.checks import MAX_NAME, check_image, check_name
from tollway_simulator.entrypoints.openai.wording import explain, missing, not_among, out_of_bounds

if TYPE_CHECKING:
    import msgspec

    from tollway_simulator.entrypoints.openai_chat.schema import Message, Part

PARTS = {
    "user": ("text", "image_url", "input_audio", "file"),
    "assistant": ("text", "refusal"),
    "tool": ("text",),
    "system": ("text",),
    "developer": ("text",),
    "function": ("text",),
}


def check_conversation(messages: list[Message]) -> None:
    """Raise a Refusal where the provider would; roles may come in any order, as there."""
    waiting: list[str] = []
    caller = 0
    for index, message in enumerate(messages):
        if message.role == "tool":
            _check_result(message, index, waiting)
        elif waiting:
            raise _unanswered(waiting, caller)
        if not isinstance(message.content, str):
            _check_content(message, f"messages[{index}]")
        if message.tool_calls is not None:
            waiting, caller = _called(message, f"messages[{index}].tool_calls"), index
    if waiting:
        raise _unanswered(waiting, caller)


def _check_result(message: Message, index: int, waiting: list[str]) -> None:
    name = message.tool_call_id
    if name is None:
        raise missing(f"messages[{index}].tool_call_id")
    if name not in waiting:
        text = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
        raise Refusal(400, f"Invalid parameter: {text}", f"messages.[{index}].role")
    waiting.remove(name)


def _unanswered(waiting: list[str], caller: int) -> Refusal:
    text = (
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        f"The following tool_call_ids did not have response messages: {', '.join(waiting)}"
    )
    return Refusal(400, text, f"messages.[{caller + 1}].role")


def _called(message: Message, where: str) -> list[str]:
    if not message.tool_calls:
        raise out_of_bounds(where, "array", ">=", 1)
    for index, call in enumerate(message.tool_calls):
        if len(call.id) > MAX_NAME:
            raise out_of_bounds(f"{where}[{index}].id", "str", "<=", MAX_NAME)
        if call.type == "function":
            if call.function is None:
                raise missing(f"{where}[{index}].function")
            check_name(f"{where}[{index}].function.name", call.function.name)
    return [call.id for call in message.tool_calls]


def _check_content(message: Message, where: str) -> None:
    content = message.content
    if content is None:
        says = message.tool_calls or message.function_call or message.refusal or message.audio
        if message.role == "assistant" and says:
            return
        text = "Invalid value for 'content': expected a string, got null."
        raise Refusal(400, text, f"{where}.content", "invalid_value")
    if not content:
        raise out_of_bounds(f"{where}.content", "array", ">=", 1)
    for index, part in enumerate(content if not isinstance(content, str) else ()):
        _check_part(part, f"{where}.content[{index}]", message.role)


def _check_part(part: Part, where: str, role: str) -> None:
    if part.type not in PARTS[role]:
        raise not_among(f"{where}.type", part.type, PARTS[role])
    match part.type:
        case "text" if part.text is None:
            raise missing(f"{where}.text")
        case "refusal" if part.refusal is None:
            raise missing(f"{where}.refusal")
        case "image_url":
            given = _object(part.image_url, f"{where}.image_url")
            check_image(f"{where}.image_url.url", _string(given, "url", f"{where}.image_url"))
        case "input_audio":
            given = _object(part.input_audio, f"{where}.input_audio")
            _string(given, "data", f"{where}.input_audio")
            _string(given, "format", f"{where}.input_audio")
        case "file":
            given = _object(part.file, f"{where}.file")
            if not any(isinstance(given.get(name), str) for name in ("file_id", "file_data")):
                raise missing(f"{where}.file.file_id")


def _object(raw: msgspec.Raw, where: str) -> dict[str, Any]:
    if not raw:
        raise missing(where)
    given = decode_part(raw, explain)
    if not isinstance(given, dict):
        raise Refusal(400, f"Invalid type for '{where}': expected an object.", where, "invalid_type")
    return given


def _string(given: dict[str, Any], name: str, where: str) -> str:
    value = given.get(name)
    if value is None:
        raise missing(f"{where}.{name}")
    if not isinstance(value, str):
        message = f"Invalid type for '{where}.{name}': expected a string."
        raise Refusal(400, message, f"{where}.{name}", "invalid_type")
    return value
