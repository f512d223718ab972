"""A long request as `stubs.LongRequest` writes it, taken apart again without a copy; used by `served`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_servicekit.protobuf_wire import LENGTH_DELIMITED, VARINT, read_varint

if TYPE_CHECKING:
    from collections.abc import Sequence


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
            tag, position = read_varint(request, start)
            if tag & 7 not in (VARINT, LENGTH_DELIMITED):
                return request, None
            length, position = read_varint(request, position)
            stop = position + length if tag & 7 == LENGTH_DELIMITED else position
        if stop > end or tag != first << 3 | LENGTH_DELIMITED:
            return request, None
        for number in within:
            tag, position = read_varint(request, position)
            length, position = read_varint(request, position)
            if tag != number << 3 | LENGTH_DELIMITED or position + length != end:
                return request, None
    except IndexError:
        return request, None
    return request[:start], memoryview(request)[position:]
