"""What each type of content block needs, and in whose messages it may stand; called by `validation`."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.domain.signatures import is_forged
from tollway_simulator.entrypoints.anthropic.provider import explain
from tollway_simulator.entrypoints.bodies import decode_part

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_simulator.entrypoints.anthropic.schema import Part

IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
TOOL_ID = re.compile(r"[a-zA-Z0-9_-]+")

_ONLY_ASSISTANT = {"tool_use", "thinking", "redacted_thinking", "server_tool_use", "mcp_tool_use"}
_ONLY_USER = {"tool_result", "image", "search_result"}
# those that only providers' own tools and betas use are taken as they come
_UNCHECKED = re.compile(
    r"\w+_tool_(use|result|listing)|tool_(addition|removal|reference)|compaction|fallback|\w+_upload"
)


def check_block(part: Part, where: str, role: str, binding: str) -> None:
    """
    Check one block.

    Args:
        part: The block.
        where: Its place in the body, as in `messages.0.content.1`.
        role: Whose message it stands in.
        binding: For whom the signatures of thinking hold.
    """
    check = _CHECKS.get(part.type)
    if check is None:
        if not _UNCHECKED.fullmatch(part.type):
            known = ", ".join(f"'{name}'" for name in sorted(_CHECKS))
            message = f"Input tag '{part.type}' found using 'type' does not match any of the expected tags: {known}"
            raise Refusal(400, f"{where}: {message}", where)
        return
    if part.type in (_ONLY_ASSISTANT if role == "user" else _ONLY_USER):
        whose = "user" if role != "user" else "assistant"
        raise Refusal(400, f"{where}: `{part.type}` blocks can only be specified in `{whose}` messages", where)
    check(part, f"{where}.{part.type}")
    if part.type in ("thinking", "redacted_thinking") and is_forged(
        part.signature or part.data or "", part.thinking or "", binding
    ):
        raise Refusal(400, f"{where}: Invalid `signature` in `thinking` block", where)


def _require(part: Part, where: str, *names: str) -> None:
    for name in names:
        if getattr(part, name) is None:
            raise Refusal(400, f"{where}.{name}: Field required", f"{where}.{name}")


def _text(part: Part, where: str) -> None:
    _require(part, where, "text")
    if not part.text:
        raise Refusal(400, "messages: text content blocks must be non-empty", where)
    if part.text.isspace():
        raise Refusal(400, "messages: text content blocks must contain non-whitespace text", where)


def _thinking(part: Part, where: str) -> None:
    _require(part, where, "signature", "thinking")


def _redacted(part: Part, where: str) -> None:
    _require(part, where, "data")


def _tool_use(part: Part, where: str) -> None:
    _require(part, where, "id", "name")
    if not part.input:
        raise Refusal(400, f"{where}.input: Field required", f"{where}.input")
    if not bytes(part.input).lstrip().startswith(b"{"):
        raise Refusal(400, f"{where}.input: Input should be a valid dictionary", f"{where}.input")
    _check_id(part.id or "", f"{where}.id")


def _tool_result(part: Part, where: str) -> None:
    _require(part, where, "tool_use_id")
    _check_id(part.tool_use_id or "", f"{where}.tool_use_id")


def _check_id(given: str, where: str) -> None:
    if not TOOL_ID.fullmatch(given):
        raise Refusal(400, f"{where}: String should match pattern '^[a-zA-Z0-9_-]+$'", where)


def _image(part: Part, where: str) -> None:
    _check_source(_source(part, where), f"{where}.source", {"base64": IMAGES, "url": (), "file": ()})


def _document(part: Part, where: str) -> None:
    kinds = {"base64": ("application/pdf",), "text": ("text/plain",), "content": (), "url": (), "file": ()}
    _check_source(_source(part, where), f"{where}.source", kinds)


def _source(part: Part, where: str) -> dict[str, Any]:
    source = decode_part(part.source, explain) if part.source else None
    if source is None:
        raise Refusal(400, f"{where}.source: Field required", f"{where}.source")
    if not isinstance(source, dict):
        raise Refusal(400, f"{where}.source: Input should be a valid dictionary", f"{where}.source")
    return source


def _check_source(source: dict[str, Any], where: str, kinds: dict[str, tuple[str, ...]]) -> None:
    kind = source.get("type")
    if not isinstance(kind, str) or kind not in kinds:
        known = ", ".join(f"'{name}'" for name in kinds)
        message = f"Input tag '{kind}' found using 'type' does not match any of the expected tags: {known}"
        raise Refusal(400, f"{where}: {message}", where)
    where = f"{where}.{kind}"
    field = {"base64": "data", "text": "data", "content": "content", "url": "url", "file": "file_id"}[kind]
    value = source.get(field)
    if value is None:
        raise Refusal(400, f"{where}.{field}: Field required", f"{where}.{field}")
    if kind != "content" and not isinstance(value, str):
        raise Refusal(400, f"{where}.{field}: Input should be a valid string", f"{where}.{field}")
    if kinds[kind] and source.get("media_type") not in kinds[kind]:
        allowed = " or ".join(f"'{name}'" for name in kinds[kind])
        raise Refusal(400, f"{where}.media_type: Input should be {allowed}", f"{where}.media_type")
    if kind == "base64" and not is_base64(value):
        raise Refusal(400, f"{where}: invalid base64 data", f"{where}.data")
    if kind == "url" and not value.startswith(("https://", "http://")):
        raise Refusal(400, f"{where}.url: Only HTTPS URLs are supported.", f"{where}.url")


def is_base64(text: str) -> bool:
    try:
        return bool(b64decode(text, validate=True))
    except ValueError:
        return False


def _anything(part: Part, where: str) -> None:
    """Nothing is demanded."""


_CHECKS: dict[str, Callable[[Part, str], None]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "image": _image,
    "document": _document,
    "search_result": _anything,
    "server_tool_use": _anything,
}
