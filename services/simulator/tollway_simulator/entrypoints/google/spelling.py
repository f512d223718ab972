"""Decodes bodies whose fields are written in camelCase or snake_case, as Google takes both; used by `validation`."""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.entrypoints.bodies import NOT_JSON, WrongField, decode_body, wrong_field

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

# what the caller has named itself, at any depth
_OPAQUE = frozenset(
    [
        *("args", "response", "parametersJsonSchema", "responseJsonSchema", "labels", "partMetadata"),
        *("default", "example", "enum", "required", "propertyOrdering"),
    ]
)
# whose direct names are the caller's
_NAMED_BY_CALLER = frozenset(["properties"])

_anything = msgspec.json.Decoder()


def decode_spelled(kind: type[T], body: bytes) -> T:
    """
    Return the decoded body.

    Raises:
        Refusal: A field is unknown or of a wrong type, or the body is not JSON.
    """
    given = decode_body(_anything, body, explain)
    written: dict[str, str] = {}
    try:
        return msgspec.convert(_camel(given, written), kind)
    except msgspec.ValidationError as error:
        raise explain(wrong_field(str(error)), written) from error
    except NOT_JSON as error:
        raise explain(None) from error


def explain(wrong: WrongField | None, written: Mapping[str, str] = MappingProxyType({})) -> Refusal:
    """Return Google's words for a body that is not JSON or has a wrong field, with names as they were written."""
    if wrong is None:
        return Refusal(400, "Invalid JSON payload received. Unexpected token.")
    if match := re.fullmatch(r"Object contains unknown field `(.*)`", wrong.message):
        place = f" at '{wrong.path}'" if wrong.path else ""
        name = written.get(match[1], match[1])
        message = f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.'
        return Refusal(400, message, wrong.path or None)
    return Refusal(400, f"Invalid value at '{wrong.path}': {wrong.message}", wrong.path or None)


def _camel(value: Any, written: dict[str, str]) -> Any:
    """Return the value with names in camelCase, and note how they were written."""
    if isinstance(value, list):
        return [_camel(one, written) for one in value]
    if not isinstance(value, dict):
        return value
    spelled = {}
    for name, inner in value.items():
        camel = _camel_name(name)
        written[camel] = name
        if camel in _OPAQUE:
            spelled[camel] = inner
        elif camel in _NAMED_BY_CALLER and isinstance(inner, dict):
            spelled[camel] = {own: _camel(one, written) for own, one in inner.items()}
        else:
            spelled[camel] = _camel(inner, written)
    return spelled


@lru_cache(maxsize=1024)
def _camel_name(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)
