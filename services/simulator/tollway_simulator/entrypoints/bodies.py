"""Decodes request bodies and finds which field is wrong; each provider, and control, words it in its own manner."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tollway_simulator.domain.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# what a decoder raises for bytes that are not JSON, at any depth
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

MAX_KEPT_PIECES = 512

_PATH = re.compile(r"(?s)(.*?)(?: - at `(?:key in )?\$(.*)`)?")
_anything = msgspec.json.Decoder()
_MISSING = re.compile(r"Object missing required field `(.*)`")


@dataclass(frozen=True, slots=True)
class WrongField:
    """What is wrong in a body: where, as in `messages[0].role`, and msgspec's words for it."""

    path: str
    message: str
    is_missing: bool = False

    @property
    def dotted(self) -> str:
        return self.path.replace("[", ".").replace("]", "").strip(".")


def decode_body(decoder: msgspec.json.Decoder[T], body: bytes, explain: Callable[[WrongField | None], Refusal]) -> T:
    """
    Return the decoded body.

    Raises:
        Refusal: What `explain` makes of a missing or wrong field, or of None where the body is not JSON.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise explain(wrong_field(str(error))) from error
    except NOT_JSON as error:
        raise explain(None) from error


def decode_part(raw: msgspec.Raw, explain: Callable[[WrongField | None], Refusal]) -> Any:
    """Return what a part of a body says that its decoder took as it came, text and depth unseen."""
    return decode_body(_anything, bytes(raw), explain)


def explain_plainly(wrong: WrongField | None) -> Refusal:
    if wrong is None:
        return Refusal(400, "The request body is not valid JSON")
    name = wrong.dotted
    return Refusal(400, f"{name}: {wrong.message}" if name else wrong.message, name or None)


def wrong_field(error: str) -> WrongField:
    match = _PATH.fullmatch(error)
    message, path = (match[1], match[2] or "") if match else (error, "")
    missing = _MISSING.fullmatch(message)
    if missing:
        return WrongField(f"{path}.{missing[1]}".strip("."), "Field required", is_missing=True)
    return WrongField(path.strip("."), message)


def unknown_fields(body: bytes, known: frozenset[str]) -> list[str]:
    """Return the names of a body's fields that are not known, in their order."""
    return [name for name in msgspec.json.decode(body) if name not in known]


def pieces_as_json(pieces: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return each piece as a JSON string; answers are the same again and again, so those of usual length are kept."""
    return _kept_pieces(pieces) if len(pieces) <= MAX_KEPT_PIECES else _encoded(pieces)


def _encoded(pieces: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple([msgspec.json.encode(piece) for piece in pieces])


_kept_pieces = lru_cache(maxsize=256)(_encoded)
