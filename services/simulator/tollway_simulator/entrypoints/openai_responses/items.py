"""Whether the input items of a response make a conversation; called by `validation`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.domain.signatures import is_forged
from tollway_simulator.entrypoints.openai.checks import check_image, check_name
from tollway_simulator.entrypoints.openai.wording import missing, not_among, out_of_bounds
from tollway_simulator.entrypoints.openai_responses.requests import text_of

if TYPE_CHECKING:
    from tollway_simulator.entrypoints.openai_responses.schema import Item, Part

PARTS_IN = ("input_text", "input_image", "input_file")
PARTS_OUT = ("output_text", "refusal")
MAX_CALL_ID = 64

# items of providers' own tools are taken as they come
_KNOWN = ("message", "function_call", "function_call_output", "reasoning", "item_reference")
_UNCHECKED = re.compile(
    r"\w+_call(_output)?|mcp_\w+|program(_output)?|compaction\w*|additional_tools|tool_search_output"
)


def check_items(items: list[Item], open_calls: tuple[str, ...]) -> None:
    """Raise a Refusal where the provider would; `open_calls` still wait for their outputs from the response before."""
    waiting = list(open_calls)
    for index, item in enumerate(items):
        where = f"input[{index}]"
        match item.type:
            case "message":
                _check_message(item, where)
            case "function_call":
                waiting.append(_check_call(item, where))
            case "function_call_output":
                _check_output(item, where, waiting)
            case "reasoning":
                _check_reasoning(item, where, items[index + 1] if index + 1 < len(items) else None)
            case "item_reference":
                if item.id is None:
                    raise missing(f"{where}.id")
            case _ if not _UNCHECKED.fullmatch(item.type):
                raise not_among(f"{where}.type", item.type, _KNOWN)
    if waiting:
        raise Refusal(400, f"No tool output found for function call {waiting[0]}.", "input")


def _check_message(item: Item, where: str) -> None:
    if item.role is None:
        raise missing(f"{where}.role")
    if item.content is None:
        raise missing(f"{where}.content")
    if isinstance(item.content, str):
        return
    for index, part in enumerate(item.content):
        _check_part(part, f"{where}.content[{index}]", PARTS_OUT if item.role == "assistant" else PARTS_IN)


def _check_part(part: Part, where: str, supported: tuple[str, ...]) -> None:
    if part.type not in supported:
        raise not_among(f"{where}.type", part.type, supported)
    match part.type:
        case "input_text" | "output_text":
            if part.text is None:
                raise missing(f"{where}.text")
        case "refusal":
            if part.refusal is None:
                raise missing(f"{where}.refusal")
        case "input_image":
            if part.image_url is not None:
                check_image(f"{where}.image_url", part.image_url)
            elif part.file_id is None:
                raise missing(f"{where}.image_url")
        case "input_file":
            if part.file_id is None and part.file_data is None and part.file_url is None:
                raise missing(f"{where}.file_id")


def _check_call(item: Item, where: str) -> str:
    for name in ("call_id", "name", "arguments"):
        if getattr(item, name) is None:
            raise missing(f"{where}.{name}")
    call_id = item.call_id or ""
    if len(call_id) > MAX_CALL_ID:
        raise out_of_bounds(f"{where}.call_id", "str", "<=", MAX_CALL_ID)
    check_name(f"{where}.name", item.name or "")
    return call_id


def _check_output(item: Item, where: str, waiting: list[str]) -> None:
    for name in ("call_id", "output"):
        if getattr(item, name) is None:
            raise missing(f"{where}.{name}")
    if item.call_id not in waiting:
        raise Refusal(400, f"No tool call found for function call output with call_id {item.call_id}.", "input")
    waiting.remove(item.call_id)
    if item.output is not None and not isinstance(item.output, str):
        for index, part in enumerate(item.output):
            _check_part(part, f"{where}.output[{index}]", PARTS_IN)


def _check_reasoning(item: Item, where: str, following: Item | None) -> None:
    if item.summary is None:
        raise missing(f"{where}.summary")
    if item.encrypted_content and is_forged(item.encrypted_content, text_of(item.summary), ""):
        message = f"The encrypted content for item {item.id} could not be verified."
        raise Refusal(400, message, "input", "invalid_encrypted_content")
    is_followed = following is not None and (following.type != "message" or following.role == "assistant")
    if item.id and not is_followed:
        message = f"Item '{item.id}' of type 'reasoning' was provided without its required following item."
        raise Refusal(400, message, "input")
