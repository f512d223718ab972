"""
A client's request body, opened only at its top level.

The values stay the bytes that came: nothing below the top level is parsed unless somebody asks for it, and a changed
body is joined again from the same bytes, so that signatures and formatting inside the values survive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

Shape = TypeVar("Shape")

_DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])
_KINDS: dict[type, str] = {str: "a string", int: "a whole number", bool: "true or false", float: "a number"}


class MalformedRequest(Exception):
    """The body cannot be a request; the message says why and names the field, never its content."""


@dataclass(slots=True)
class RequestBody:
    """Top-level fields of a JSON object, in the order they came, each as its raw bytes."""

    raw: bytes
    fields: dict[str, msgspec.Raw]
    changes: list[str] = field(default_factory=list)
    """What the gateway changed, e.g. "prompt"; empty while `raw` is what the client sent."""

    @classmethod
    def parse(cls, raw: bytes) -> RequestBody:
        try:
            return cls(raw, _DECODER.decode(raw))
        except msgspec.ValidationError:
            raise MalformedRequest("the request body must be a JSON object") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise MalformedRequest(f"the request body is not valid JSON: {_where(error)}") from None

    def get(self, name: str, shape: type[Shape]) -> Shape | None:
        """Return one field in the given type; None where it is absent or null."""
        raw = self.fields.get(name)
        if raw is None:
            return None
        try:
            return msgspec.json.decode(raw, type=shape | None)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise MalformedRequest(f"{name}: must be {_KINDS.get(shape, 'of another type')}") from None

    def set(self, name: str, value: Any, change: str) -> None:
        """Replace or add one field; every other field keeps its bytes."""
        self.fields[name] = msgspec.Raw(msgspec.json.encode(value))
        self._changed(change)

    def drop(self, name: str, change: str) -> None:
        """Take one field out."""
        del self.fields[name]
        self._changed(change)

    def _changed(self, change: str) -> None:
        if change not in self.changes:
            self.changes.append(change)
        self.raw = b"{%s}" % b",".join(
            b"%s:%s" % (msgspec.json.encode(name), bytes(value)) for name, value in self.fields.items()
        )


def _where(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return str(error).removeprefix("JSON is malformed: ")
