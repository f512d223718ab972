"""
A client's request body, opened only at its top level.

The values stay the bytes that came: nothing below the top level is parsed unless somebody asks for it, and a changed
body is joined again from the same bytes, so that signatures and formatting inside the values survive.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

Shape = TypeVar("Shape")


class _Name(str):
    """A field's name as it came: equal to itself alone, so that a dict keeps every one."""

    __slots__ = ()
    __eq__ = object.__eq__
    __hash__ = object.__hash__


class _Decoders(dict[Any, msgspec.json.Decoder[Any]]):
    """One for each type that was asked for, or null; as many as the code names."""

    def __missing__(self, shape: Any) -> msgspec.json.Decoder[Any]:
        decoder = self[shape] = msgspec.json.Decoder(shape | None)
        return decoder


_DECODERS = _Decoders()
_DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])
_EVERY_NAME = msgspec.json.Decoder(dict[_Name, msgspec.Raw], dec_hook=str.__new__)
_encode = msgspec.json.Encoder().encode
# of a larger body a second look would cost more than keeping every name at the first
_SMALL = 1 << 14
# `"":0,` is the shortest field
_SHORTEST_FIELD = 5
_KINDS: dict[type, str] = {str: "a string", int: "a whole number", bool: "true or false", float: "a number"}
_MOST_FIELDS = 1024
# what msgspec says of half a surrogate pair, besides other things
_HALF_PAIR = ("truncated", "surrogate", "hex escape")
_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_HALF = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


class MalformedRequest(Exception):
    """The body cannot be a request; the message says why and names the field, never its content."""


class RequestBody(msgspec.Struct):
    """Top-level fields of a JSON object, in the order they came, each as its raw bytes."""

    raw: bytes
    fields: dict[str, msgspec.Raw]
    changes: list[str] = []
    """What the gateway changed, e.g. "prompt"; empty while `raw` is what the client sent."""
    digests: dict[str, bytes] = {}
    """BLAKE3 of fields, where whoever read the body had to hash them."""

    @classmethod
    def parse(cls, raw: bytes) -> RequestBody:
        try:
            if len(raw) > _SMALL:
                return cls(raw, each_once(names_and_values(raw)))
            fields = _DECODER.decode(raw)
            # no room in it for another field, which is all that a body without spaces costs; else all names are counted
            if len(raw) - len(_encode(fields)) < _SHORTEST_FIELD or len(_EVERY_NAME.decode(raw)) == len(fields):
                return cls(raw, fields)
            return cls(raw, each_once(names_and_values(raw)))
        except msgspec.ValidationError:
            raise MalformedRequest("the request body must be a JSON object") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise MalformedRequest(f"the request body is not valid JSON: {_where(error, raw)}") from None

    def names(self, name: str) -> bool:
        """Say whether a field is there and not null."""
        raw = self.fields.get(name)
        return raw is not None and bytes(raw) != b"null"

    def get(self, name: str, shape: type[Shape]) -> Shape | None:
        """Return one field in the given type; None where it is absent or null."""
        raw = self.fields.get(name)
        if raw is None:
            return None
        try:
            value: Shape | None = _DECODERS[shape].decode(raw)
            return value
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise MalformedRequest(f"{name}: must be {_KINDS.get(shape, 'of another type')}") from None

    def set(self, name: str, value: Any, change: str) -> None:
        """Replace or add one field; every other field keeps its bytes."""
        self.fields[name] = msgspec.Raw(msgspec.json.encode(value))
        self.digests.pop(name, None)
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


def names_and_values(raw: bytes) -> list[tuple[str, msgspec.Raw]]:
    """Return every field of a JSON object, one that is named twice too; raises what msgspec raises."""
    return [(str(name), value) for name, value in _EVERY_NAME.decode(raw).items()]


def each_once(named: list[tuple[str, msgspec.Raw]]) -> dict[str, msgspec.Raw]:
    """Return the fields of a body that names each once: of two, a provider could take the other one."""
    if len(named) > _MOST_FIELDS:
        raise MalformedRequest(f"the request body has more than {_MOST_FIELDS} fields")
    fields: dict[str, msgspec.Raw] = {}
    for name, value in named:
        if name in fields:
            raise MalformedRequest(f"{_shown(name)}: must be there once")
        fields[name] = value
    return fields


def _shown(name: str) -> str:
    return name if len(name) <= 64 and name.isprintable() else "a field"


def _where(error: Exception, raw: bytes) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    what = str(error).removeprefix("JSON is malformed: ")
    if any(word in what for word in _HALF_PAIR) and _HALF.search(_PAIR.sub(b"", raw)):
        return "half of a surrogate pair (\\ud800 to \\udfff) stands alone"
    return what
