"""OpenAI's words for wrong bodies; used by all of its endpoints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tollway_simulator.domain.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tollway_simulator.entrypoints.bodies import WrongField

_EXPECTED = re.compile(r"Expected `(.*?)`, got `(.*?)`")
_BOUND = re.compile(r"Expected `(\w+)`(?: of length)? ([<>]=) (\S+)")
_VALUE = re.compile(r"Invalid enum value (.*)")
_KINDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a decimal",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
# (kind, comparison): what is wrong, and its code
_BOUNDS = {
    ("int", ">="): ("integer below minimum value. Expected a value >= {}.", "integer_below_min_value"),
    ("int", "<="): ("integer above maximum value. Expected a value <= {}.", "integer_above_max_value"),
    ("float", ">="): ("decimal below minimum value. Expected a value >= {}.", "decimal_below_min_value"),
    ("float", "<="): ("decimal above maximum value. Expected a value <= {}.", "decimal_above_max_value"),
    ("str", ">="): ("empty string. Expected a string with minimum length {}.", "empty_string"),
    ("str", "<="): ("string too long. Expected a string with maximum length {}.", "string_above_max_length"),
    ("array", ">="): ("empty array. Expected an array with minimum length {}.", "empty_array"),
    ("array", "<="): ("array too long. Expected an array with maximum length {}.", "array_above_max_length"),
}


def explain(wrong: WrongField | None) -> Refusal:
    """Return the refusal of a body that is not JSON or has a field of a wrong type."""
    if wrong is None:
        return Refusal(400, "We could not parse the JSON body of your request.")
    if wrong.is_missing:
        return missing(wrong.path)
    if match := _BOUND.match(wrong.message):
        said, code = _BOUNDS[match[1], match[2]]
        return Refusal(400, f"Invalid '{wrong.path}': {said.format(match[3])}", wrong.path, code)
    if match := _EXPECTED.match(wrong.message):
        kinds = [_KINDS.get(kind, kind) for kind in match[1].split(" | ") if kind != "null"]
        expected = kinds[0] if len(kinds) == 1 else "one of " + " or ".join(kinds)
        got = _KINDS.get(match[2], match[2])
        text = f"Invalid type for '{wrong.path}': expected {expected}, but got {got} instead."
        return Refusal(400, text, wrong.path or None, "invalid_type")
    if match := _VALUE.match(wrong.message):
        return Refusal(400, f"Invalid value: {match[1]}.", wrong.path, "invalid_value")
    return Refusal(400, f"Invalid '{wrong.path}': {wrong.message}", wrong.path, "invalid_value")


def missing(path: str) -> Refusal:
    return Refusal(400, f"Missing required parameter: '{path}'.", path, "missing_required_parameter")


def not_among(path: str, value: str, supported: Iterable[str]) -> Refusal:
    """Return the refusal of a value that is none of those that are known."""
    known = ", ".join(f"'{one}'" for one in supported)
    return Refusal(400, f"Invalid value: '{value}'. Supported values are: {known}.", path, "invalid_value")


def out_of_bounds(path: str, kind: str, comparison: str, bound: float) -> Refusal:
    """Return the refusal of a value beyond a bound; the kind is that of `_KINDS`, the comparison says what holds."""
    said, code = _BOUNDS[kind, comparison]
    return Refusal(400, f"Invalid '{path}': {said.format(bound)}", path, code)


def unknown(path: str) -> Refusal:
    return Refusal(400, f"Unknown parameter: '{path}'.", path, "unknown_parameter")


def unsupported_value(path: str, message: str) -> Refusal:
    return Refusal(400, f"Unsupported value: {message}", path, "unsupported_value")
