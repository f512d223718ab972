"""Arguments for a tool call, built from the tool's JSON schema: deterministic, plausible by type."""

from __future__ import annotations

from typing import Any

MAX_DEPTH = 8

_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "ann@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def arguments_for(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a value for every declared or required property of an object schema."""
    value = _sample(schema, schema, 0)
    return value if isinstance(value, dict) else {}


def _sample(schema: Any, root: dict[str, Any], depth: int) -> Any:
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return "sample"
    if "const" in schema:
        return schema["const"]
    for examples in ("enum", "examples"):
        if isinstance(schema.get(examples), list) and schema[examples]:
            return schema[examples][0]
    if "$ref" in schema:
        return _sample(_resolve(schema["$ref"], root), root, depth + 1)
    for choice in ("anyOf", "oneOf", "allOf"):
        if isinstance(schema.get(choice), list) and schema[choice]:
            return _sample(schema[choice][0], root, depth + 1)
    return _by_type(schema, root, depth)


def _by_type(schema: dict[str, Any], root: dict[str, Any], depth: int) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    match kind:
        case "object":
            declared = schema.get("properties") or {}
            names = [*declared, *(name for name in schema.get("required") or () if name not in declared)]
            return {name: _sample(declared.get(name, {}), root, depth + 1) for name in names}
        case "array":
            return [_sample(schema.get("items", {}), root, depth + 1)] * max(1, schema.get("minItems", 1))
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "null":
            return None
    text = _FORMATS.get(schema.get("format", ""), "sample")
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]


def _resolve(reference: Any, root: dict[str, Any]) -> Any:
    found: Any = root
    for step in str(reference).removeprefix("#").strip("/").split("/"):
        found = found.get(step) if isinstance(found, dict) else None
    return found
