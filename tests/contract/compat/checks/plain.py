"""Turns what clients return into JSON: models, errors, headers; called by the checklist and by checks."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return `value` as JSON values; models keep exactly the fields that the server sent."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, Exception):
        return plain_error(value)
    if hasattr(value, "model_dump"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # unions that pydantic could not narrow
            return plain(value.model_dump(mode="json", exclude_unset=True))
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return repr(value)


def plain_error(error: Exception) -> dict[str, Any]:
    """Return everything about an error that code can tell apart."""
    told: dict[str, Any] = {"class": type(error).__name__, "message": str(error)}
    for name in ("status_code", "body", "code", "param", "type", "request_id"):
        if hasattr(error, name):
            told[name] = plain(getattr(error, name))
    response = getattr(error, "response", None)
    if response is not None:
        told["headers"] = plain_headers(response.headers)
    if error.__cause__ is not None:
        told["cause"] = type(error.__cause__).__name__
    return told


def plain_headers(headers: Any) -> dict[str, str]:
    """Return headers with their names in lower case."""
    return {name.lower(): value for name, value in sorted(headers.items())}
