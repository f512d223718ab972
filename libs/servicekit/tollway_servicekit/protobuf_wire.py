"""
What is written of protobuf's wire format by hand, where a message would cost a copy or a step for each value.

    field = tag varint, length varint, bytes; tag = number << 3 | wire type
"""

from __future__ import annotations

VARINT, LENGTH_DELIMITED = 0, 2
_MOST_BITS = 35


def field_of(number: int, length: int) -> bytes:
    """Return what goes before the so many bytes of a field: of text, bytes, a message or packed numbers."""
    return _varint(number << 3 | LENGTH_DELIMITED) + _varint(length)


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return a number, and where it ends; raises `IndexError` where it is cut, or too long for a length."""
    number = 0
    for shift in range(0, _MOST_BITS, 7):
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte <= 0x7F:
            return number, position
    raise IndexError(position)


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)
