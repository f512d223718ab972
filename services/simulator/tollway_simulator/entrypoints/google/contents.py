"""Whether contents make a conversation: roles, parts, calls and their responses, thought signatures."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.domain.signatures import is_forged, sign

if TYPE_CHECKING:
    from tollway_simulator.domain.models import Traits
    from tollway_simulator.entrypoints.google.schema import Content, Part

DATA = (
    *("text", "inline_data", "file_data", "function_call", "function_response"),
    *("executable_code", "code_execution_result", "tool_call", "tool_response"),
)
STAND_INS = {"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"}
"""What Google documents for calls that another model made."""

_STAND_INS = STAND_INS | {b64encode(one.encode()).decode() for one in STAND_INS}


def check_contents(contents: list[Content], traits: Traits, binding: str) -> None:
    """Raise a Refusal where the provider would; the binding says for whom thought signatures hold."""
    if not contents:
        raise _missing("contents", "contents is not specified")
    for index, content in enumerate(contents):
        if content.role not in (None, "", "user", "model", "function"):
            raise Refusal(400, "Please use a valid role: user, model.", f"contents[{index}].role")
        if not content.parts:
            raise _missing(f"contents[{index}].parts", "contents.parts must not be empty.")
        for place, part in enumerate(content.parts):
            _check_part(part, f"contents[{index}].parts[{place}]")
            if part.thought_signature is not None:
                _check_signature(part.thought_signature, traits, binding)
    _check_calls(contents)
    if traits.has("G"):
        _check_signed(contents)


def check_system(system: Content) -> None:
    for place, part in enumerate(system.parts):
        if part.text is None:
            raise _missing(f"system_instruction.parts[{place}].text", "only text is supported here")


def _missing(path: str, what: str) -> Refusal:
    return Refusal(400, f"* GenerateContentRequest.{path}: {what}\n", path)


def _check_part(part: Part, where: str) -> None:
    given = [name for name in DATA if getattr(part, name) is not None]
    if not given and part.thought_signature is None:
        raise _missing(f"{where}.data", "required oneof field 'data' must have one initialized field")
    if len(given) > 1:
        message = f"Invalid value at '{where}' (oneof), oneof field 'data' is already set. Cannot set '{given[1]}'"
        raise Refusal(400, message, where)
    if part.function_call is not None and not part.function_call.name:
        raise _missing(f"{where}.function_call.name", "Name cannot be empty.")
    if part.function_response is not None and not part.function_response.name:
        raise _missing(f"{where}.function_response.name", "Name cannot be empty.")
    if part.inline_data is not None:
        if not part.inline_data.mime_type:
            raise Refusal(400, "Unable to submit request because it must have a mimeType parameter.", where)
        if decoded(part.inline_data.data) is None:
            message = f"Invalid value at '{where}.inline_data.data' (TYPE_BYTES), Base64 decoding failed"
            raise Refusal(400, message, f"{where}.inline_data.data")
    if part.file_data is not None and not part.file_data.file_uri:
        raise _missing(f"{where}.file_data.file_uri", "File uri cannot be empty.")


def decoded(text: str) -> bytes | None:
    """Return what a text is the base64 of, in either alphabet; None where it is none."""
    standard = text.replace("-", "+").replace("_", "/")
    try:
        return b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except ValueError:
        return None


def _check_signature(signature: str, traits: Traits, binding: str) -> None:
    if signature in _STAND_INS:
        return
    made = b64encode(decoded(signature) or b"").decode()
    is_own = made == sign("", binding)
    if is_forged(made, "", binding) or (traits.has("G") and not is_own):
        raise Refusal(400, "Corrupted thought signature.")


def _check_calls(contents: list[Content]) -> None:
    called = 0
    for content in contents:
        answered = sum(part.function_response is not None for part in content.parts)
        if answered != called:
            if answered and not called:
                text = "function response turn comes immediately after a function call turn."
            else:
                text = (
                    "the number of function response parts is equal to the number of function call parts of the "
                    "function call turn."
                )
            raise Refusal(400, f"Please ensure that {text}")
        called = sum(part.function_call is not None for part in content.parts)
    if called:
        raise Refusal(400, "Please ensure that function call turn is followed by a function response turn.")


def _check_signed(contents: list[Content]) -> None:
    """In the current turn the first call of each step has to have its signature."""
    turn = max((i for i, one in enumerate(contents) if _is_asking(one)), default=-1)
    for index, content in enumerate(contents[turn + 1 :], turn + 1):
        first = next((part for part in content.parts if part.function_call is not None), None)
        if first is not None and first.function_call is not None and not first.thought_signature:
            place = f"function call `default_api:{first.function_call.name}`, position {index + 1}."
            raise Refusal(
                400, f"Function call is missing a thought_signature in functionCall parts. Additional data, {place}"
            )


def _is_asking(content: Content) -> bool:
    return content.role != "model" and not any(part.function_response is not None for part in content.parts)
