"""Whether OpenAI holds an answer to a schema strictly: it refuses schemas that leave anything open."""

from __future__ import annotations

from typing import Any


def fits_strict(schema: Any) -> bool:
    """Say whether every object in a schema names all that it may have, and demands each."""
    if isinstance(schema, list):
        return all(map(fits_strict, schema))
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        names = (schema.get("properties") or {}).keys()
        if schema.get("additionalProperties") is not False or names - set(schema.get("required") or ()):
            return False
    return all(map(fits_strict, schema.values()))
