"""A request with a long field that is copied into no message: it follows the rest where that is written to a link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_servicekit.protobuf_wire import field_of

if TYPE_CHECKING:
    from collections.abc import Sequence


class LongRequest:
    """
    Given to a stub in place of its message.

    On the wire it is that message: a message that occurs twice in another is merged by who parses it, so a field can
    be added behind all others.

    Args:
        message: Without the field, which is empty in it.
        numbers: Of the fields that lead to it: (1, 4) is field 4 of the message in field 1.
        field: Its bytes.
    """

    __slots__ = ("field", "message", "numbers")

    def __init__(self, message: Any, numbers: Sequence[int], field: bytes) -> None:
        self.message, self.numbers, self.field = message, numbers, field

    def begun(self) -> bytes:
        """Return what goes before the field's bytes."""
        before = b""
        for number in reversed(self.numbers):
            before = field_of(number, len(before) + len(self.field)) + before
        return bytes(self.message.SerializeToString()) + before

    def whole(self) -> Any:
        """Return the message with its field."""
        return type(self.message).FromString(self.begun() + self.field)


def whole(request: Any) -> Any:
    """Return the message that a stub was given, in either form."""
    return request.whole() if type(request) is LongRequest else request
