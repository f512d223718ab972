"""Values that a JSON schema allows: deterministic, plausible by type; for tool arguments and structured answers."""

from __future__ import annotations

import math
from typing import Any

from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.domain.schemas import why_no_schema

MAX_DEPTH = 32
MAX_VALUES = 10_000
MAX_TEXT = 1 << 20
MAX_INTEGER = 1 << 63
MAX_SAME_REFERENCE = 2
"""How often one `$ref` is followed inside itself before only what is required is filled in."""

_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "P1D",
    "email": "ann@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def arguments_for(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a value for every declared or required property of an object schema."""
    value = sample(schema)
    return value if isinstance(value, dict) else {}


def sample(schema: dict[str, Any]) -> Any:
    """Return a value that the schema allows; `pattern` and `uniqueItems` are not looked at."""
    return _Sampler(schema).value(schema, ())


class _Sampler:
    """Walks one schema; the path holds the references that led to a place."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._values_left = MAX_VALUES
        self._text_left = MAX_TEXT

    def value(self, schema: Any, path: tuple[str, ...]) -> Any:
        self._values_left -= 1
        if self._values_left < 0:
            raise Refusal(400, f"Invalid schema: the least that it allows has more than {MAX_VALUES} values")
        if not isinstance(schema, dict) or len(path) > MAX_DEPTH:
            return "sample"
        if "const" in schema:
            return schema["const"]
        for examples in ("enum", "examples"):
            if isinstance(schema.get(examples), list) and schema[examples]:
                return schema[examples][0]
        if "$ref" in schema:
            return self.value(self._resolve(schema["$ref"]), (*path, str(schema["$ref"])))
        for choice in ("anyOf", "oneOf"):
            if isinstance(schema.get(choice), list) and schema[choice]:
                return self.value(self._choose(schema[choice], path), (*path, ""))
        if isinstance(schema.get("allOf"), list) and schema["allOf"]:
            return self.value(self._merged(schema), (*path, ""))
        return self._by_type(schema, path)

    def _choose(self, choices: list[Any], path: tuple[str, ...]) -> Any:
        if _is_deep(path):
            for one in choices:
                if isinstance(one, dict) and one.get("type") == "null":
                    return one
        return choices[0]

    def _merged(self, schema: dict[str, Any]) -> dict[str, Any]:
        merged = {name: value for name, value in schema.items() if name != "allOf"}
        for part in schema["allOf"]:
            found = self._resolve(part["$ref"]) if isinstance(part, dict) and "$ref" in part else part
            if isinstance(found, dict):
                properties = {**(merged.get("properties") or {}), **(found.get("properties") or {})}
                required = [*(merged.get("required") or ()), *(found.get("required") or ())]
                merged = {**merged, **found, "required": required}
                if properties:
                    merged["properties"] = properties
        return merged

    def _by_type(self, schema: dict[str, Any], path: tuple[str, ...]) -> Any:
        kind = schema.get("type", "object" if schema.get("properties") or schema.get("required") else "string")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        match kind:
            case "object":
                return self._object(schema, path)
            case "array":
                usual = 0 if _is_deep(path) else min(1, schema.get("maxItems", 1))
                count = max(schema.get("minItems", 0), usual)
                return [self.value(schema.get("items", {}), (*path, "")) for _ in range(count)]
            case "integer" | "number":
                return _number(schema, is_integer=kind == "integer")
            case "boolean":
                return True
            case "null":
                return None
        return self._text(schema)

    def _text(self, schema: dict[str, Any]) -> str:
        self._text_left -= schema.get("minLength", 0)
        if self._text_left < 0:
            raise Refusal(400, f"Invalid schema: the least that it allows has more than {MAX_TEXT} characters")
        text = _FORMATS.get(schema.get("format", ""), "sample")
        return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]

    def _object(self, schema: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        declared = schema.get("properties") or {}
        required = schema.get("required") or []
        names = [] if _is_deep(path) else list(declared)
        names += [name for name in required if name not in names]
        return {name: self.value(declared.get(name, {}), (*path, "")) for name in names}

    def _resolve(self, reference: Any) -> Any:
        found: Any = self._root
        steps = str(reference).removeprefix("#").strip("/")
        for step in steps.split("/") if steps else ():
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        if found is not None and (wrong := why_no_schema(found)):
            raise Refusal(400, f"Invalid schema: its '$ref' leads to no schema: {wrong}")
        return found


def _is_deep(path: tuple[str, ...]) -> bool:
    return any(path.count(reference) > MAX_SAME_REFERENCE for reference in set(path) - {""})


def _number(schema: dict[str, Any], *, is_integer: bool) -> float:
    step = schema.get("multipleOf", 1)
    least = schema.get("minimum")
    if "exclusiveMinimum" in schema:
        least = schema["exclusiveMinimum"] + (step if is_integer or "multipleOf" in schema else 0.5)
    most = schema.get("maximum")
    if "exclusiveMaximum" in schema:
        most = schema["exclusiveMaximum"] - (step if is_integer or "multipleOf" in schema else 0.5)
    value: float = least if least is not None else 1 if most is None else min(1, most)
    if "multipleOf" in schema and abs(value / step) < MAX_INTEGER:
        value = math.ceil(value / step) * step
    return value if abs(value) < MAX_INTEGER else float(value)
