"""A long request as `stubs.LongRequest` writes it, taken apart again without a copy; used by `served`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_VARINT, _LENGTH_DELIMITED = 0, 2
_MOST_BITS = 35


def without_field(request: bytes, numbers: Sequence[int]) -> tuple[bytes, memoryview | None]:
    """
    Return what goes before the field that ends a request, and that field; all of it and None if it ends otherwise.

    Args:
        request: A protobuf message, which may be left where it was read.
        numbers: Of the fields that lead to the field: (1, 4) is field 4, all that the last field 1 has.
    """
    if not request:
        return request, None
    first, *within = numbers
    end, stop = len(request), 0
    try:
        while stop < end:
            start = stop
            tag, position = _varint(request, start)
            if tag & 7 not in (_VARINT, _LENGTH_DELIMITED):
                return request, None
            length, position = _varint(request, position)
            stop = position + length if tag & 7 == _LENGTH_DELIMITED else position
        if stop > end or tag != first << 3 | _LENGTH_DELIMITED:
            return request, None
        for number in within:
            tag, position = _varint(request, position)
            length, position = _varint(request, position)
            if tag != number << 3 | _LENGTH_DELIMITED or position + length != end:
                return request, None
    except IndexError:
        return request, None
    return request[:start], memoryview(request)[position:]


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """Return a number, and where it ends; raises `IndexError` where it is cut, or too long for a length."""
    number = 0
    for shift in range(0, _MOST_BITS, 7):
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte <= 0x7F:
            return number, position
    raise IndexError(position)
