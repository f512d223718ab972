"""Decodes request bodies and says in the providers' manner which field is wrong; used by both dialects and control."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

import msgspec

from tollway_simulator.domain.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

_PATH = re.compile(r"(?s)(.*?)(?: - at `\$(.*)`)?")
_MISSING = re.compile(r"Object missing required field `(.*)`")


class Part(msgspec.Struct):
    """A content block of either dialect, as far as its text is concerned."""

    type: str = "text"
    text: str | None = None
    thinking: str | None = None
    tool_use_id: str | None = None
    input: msgspec.Raw = msgspec.Raw()
    content: msgspec.Raw = msgspec.Raw()


Content = str | list[Part]
_content_decoder = msgspec.json.Decoder(Content)


def decode_body(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """
    Return the decoded body.

    Raises:
        Refusal: It is not JSON, or a field is missing or wrong; `param` names it.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(400, "The request body is not valid JSON", code="invalid_json") from error


def _refusal(error: str) -> Refusal:
    match = _PATH.fullmatch(error)
    message, path = (match[1], match[2] or "") if match else (error, "")
    missing = _MISSING.fullmatch(message)
    if missing:
        path, message = f"{path}.{missing[1]}", "Field required"
    param = path.replace("[", ".").replace("]", "").strip(".")
    return Refusal(400, f"{param}: {message}" if param else message, param or None, "missing" if missing else None)


def text_of(content: Content | None, separator: str = "") -> str:
    """Return the text of a message's content: a string, or its text parts joined."""
    if content is None or isinstance(content, str):
        return content or ""
    return separator.join(part.text for part in content if part.text)


def nested_content(part: Part) -> Content:
    """Return the content of a tool_result block; other shapes count as no text."""
    raw = bytes(part.content)
    if not raw:
        return ""
    try:
        content: Content = _content_decoder.decode(raw)
    except msgspec.ValidationError:
        return ""
    return content


def pieces_as_json(pieces: Sequence[str]) -> list[bytes]:
    return [msgspec.json.encode(piece) for piece in pieces]
