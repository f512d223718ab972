"""A JSON object of a request that is taken apart field by field; what nobody took is listed as dropped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tollway_dialects.translation.errors import Untranslatable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tollway_dialects.translation.form.parts import Json

Shape = TypeVar("Shape")

_KINDS: dict[Any, str] = {str: "a string", int: "a whole number", bool: "true or false", float: "a number"}
_KINDS |= {dict[str, Any]: "an object", list[Any]: "a list", list[str]: "a list of strings"}
_NUMBER = re.compile(r"\.\d+(?=\.|$)")
_PLAIN_NAME = re.compile(r"[A-Za-z_][\w-]{0,63}")


class Node:
    """
    One object at `path`.

    `dropped` is shared by all nodes of a request and keeps order; a field that is null counts as absent.
    """

    def __init__(self, values: Any, path: str, dropped: dict[str, None]) -> None:
        self.path = path
        self.dropped = dropped
        if not isinstance(values, dict):
            raise Untranslatable(path, "must be an object")
        self._left: Json = {name: value for name, value in values.items() if value is not None}

    def get(self, name: str, shape: type[Shape]) -> Shape | None:
        """Take a field that may be absent."""
        if name not in self._left:
            return None
        try:
            value: Shape = msgspec.convert(self._left.pop(name), shape)
        except msgspec.ValidationError:
            raise self.refusal(name, f"must be {_KINDS.get(shape, 'of another type')}") from None
        return value

    def need(self, name: str, shape: type[Shape]) -> Shape:
        """Take a field that must be there."""
        value = self.get(name, shape)
        if value is None:
            raise self.refusal(name, "Field required")
        return value

    def object(self, name: str) -> Json | None:
        """Take an object as it is."""
        return self.get(name, dict[str, Any])

    def node(self, name: str) -> Node | None:
        """Take an object, to be taken apart in turn."""
        value = self.object(name)
        return None if value is None else Node(value, self.at(name), self.dropped)

    def nodes(self, name: str) -> Iterator[Node]:
        """Take a list of objects."""
        for index, value in enumerate(self.get(name, list[Any]) or ()):
            yield Node(value, f"{self.at(name)}.{index}", self.dropped)

    def peek(self, name: str) -> Any:
        """Look at a field without taking it."""
        return self._left.get(name)

    def skip(self, *names: str) -> None:
        """Take fields that say nothing to anybody else."""
        for name in names:
            self._left.pop(name, None)

    def rest(self) -> Json:
        """Take all that is left, as it is."""
        left, self._left = self._left, {}
        return left

    def drop(self, name: str) -> None:
        """List one field of this object as dropped."""
        shown = name if _PLAIN_NAME.fullmatch(name) else "a field"
        self.dropped[_NUMBER.sub("", self.at(shown))] = None

    def close(self) -> None:
        """List what was not taken."""
        for name in self._left:
            self.drop(name)

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def refusal(self, name: str, why: str) -> Untranslatable:
        return Untranslatable(self.at(name) if name else self.path, why)

    def unknown(self, kind: str) -> Untranslatable:
        """Refuse an object of a type that has no equivalent; the type is shown where it is a plain word."""
        shown = f"{kind!r}" if _PLAIN_NAME.fullmatch(kind) else "this type"
        return self.refusal("type", f"{shown} has no equivalent in the dialect of the model's provider")
