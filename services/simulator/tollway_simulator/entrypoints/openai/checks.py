"""Checks that chat completions and responses have in common: names, images, metadata, schemas, models' limits."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.domain.schemas import why_no_schema
from tollway_simulator.entrypoints.openai.wording import out_of_bounds, unsupported_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tollway_simulator.domain.models import Traits

MAX_NAME = 64
MAX_METADATA = (16, 64, 512)
"""Pairs, characters of a key, characters of a value."""

_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)
_IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp"}


def check_name(path: str, name: str) -> None:
    if len(name) > MAX_NAME:
        raise out_of_bounds(path, "str", "<=", MAX_NAME)
    if not _NAME.fullmatch(name):
        message = f"Invalid '{path}': string does not match pattern. Expected a string that matches the pattern"
        raise Refusal(400, f"{message} '^[a-zA-Z0-9_-]+$'.", path, "invalid_value")


def check_metadata(metadata: dict[str, str] | None) -> None:
    if metadata is None:
        return
    pairs, keys, values = MAX_METADATA
    if len(metadata) > pairs:
        message = f"Invalid 'metadata': too many properties. Expected an object with at most {pairs} properties."
        raise Refusal(400, message, "metadata", "object_above_max_properties")
    for key, value in metadata.items():
        if len(key) > keys:
            raise out_of_bounds("metadata", "str", "<=", keys)
        if len(value) > values:
            raise out_of_bounds(f"metadata.{key}", "str", "<=", values)


def check_image(path: str, url: str) -> None:
    """Check an image's address, or the image itself where it is in the address."""
    if url.startswith(("https://", "http://")):
        return
    match = _DATA_URL.fullmatch(url)
    if match is None:
        message = f"Invalid '{path}'. Expected a valid URL, but got a value with an invalid format."
        raise Refusal(400, message, path, "invalid_value")
    if match[1] not in _IMAGES:
        message = "You uploaded an unsupported image. Please make sure your image is valid and has one of the formats"
        raise Refusal(400, f"{message} ['png', 'jpeg', 'gif', 'webp'].", path, "invalid_image_format")
    try:
        b64decode(match[2], validate=True)
    except ValueError as error:
        raise Refusal(400, "Invalid base64 image.", path, "invalid_base64_image") from error


def check_model(traits: Traits, effort_path: str, effort: str | None, sampling: Mapping[str, float | None]) -> None:
    """Check what not every model takes: the least efforts, and parameters other than their defaults."""
    if (effort == "none" and traits.has("N")) or (effort == "minimal" and traits.has("n")):
        raise unsupported_value(effort_path, f"'{effort}' is not supported with this model.")
    for name, value in sampling.items():
        if value is not None and value != 1 and traits.has("S"):
            raise unsupported_value(
                name, f"'{name}' does not support {value} with this model. Only the default (1) value is supported."
            )


def check_schema(of: str, schema: dict[str, Any] | None, path: str, code: str, *, is_strict: bool) -> None:
    """
    Check a function's parameters or a format's schema.

    Args:
        of: What has the schema, as in `function 'lookup'`.
        schema: The schema.
        path: Its place in the body.
        code: The code of the refusal.
        is_strict: Whether every object has to name all its properties as required and allow no others.
    """
    if schema is None:
        return
    if wrong := why_no_schema(schema):
        raise Refusal(400, f"Invalid schema for {of}: {wrong}", path, code)
    kind = schema.get("type")
    if kind is not None and kind != "object":
        message = f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
        raise Refusal(400, f"Invalid schema for {of}: {message}", path, code)
    if is_strict and (wrong := _not_strict(schema, ())):
        raise Refusal(400, f"Invalid schema for {of}: {wrong}", path, code)


def _not_strict(schema: Any, context: tuple[str, ...]) -> str | None:
    """Return what keeps a schema from being strict, if something does."""
    if not isinstance(schema, dict):
        return None
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        if schema.get("additionalProperties") is not False:
            return f"In context={context}, 'additionalProperties' is required to be supplied and to be false."
        lacking = set(properties or ()) - set(schema.get("required") or ())
        if lacking:
            text = "'required' is required to be supplied and to be an array including every key in properties."
            return f"In context={context}, {text} Missing '{min(lacking)}'."
    for place in ("properties", "$defs", "definitions"):
        for name, inner in (schema.get(place) or {}).items():
            if wrong := _not_strict(inner, (*context, place, name)):
                return wrong
    inners = [("items", schema.get("items"))]
    inners += [(f"anyOf.{index}", inner) for index, inner in enumerate(schema.get("anyOf") or ())]
    return next((wrong for name, inner in inners if (wrong := _not_strict(inner, (*context, name)))), None)
