"""
HTTP headers in one value: `name: value CRLF` for each, as they stand in a message's head, names in lower case.

So a call's headers travel from an HTTP parser through services to an HTTP writer without being taken apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


HARMLESS = bytes(code for code in range(256) if code == 0x09 or (code >= 0x20 and code != 0x7F))
"""All others are control characters, which no header may hold, or a client takes nothing of the answer."""


def to_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """
    Join names and values.

    Raises:
        ValueError: A value would end its line early and begin another header.
    """
    each = [b"%b: %b\r\n" % header for header in headers]
    lines = b"".join(each)
    if lines.count(b"\n") != len(each) or lines.count(b"\r") != len(each):
        raise ValueError("a header holds a line end")
    return lines


def from_lines(lines: bytes) -> list[tuple[bytes, bytes]]:
    """Return names and values, in order."""
    parts = (line.partition(b": ") for line in lines.split(b"\r\n")[:-1])
    return [(name, value) for name, _, value in parts]


def value_of(lines: bytes, name: bytes) -> bytes:
    """Return the first value under a name; nothing where there is none."""
    start = (b"\n" + lines).find(b"\n" + name + b": ")
    return lines[start + len(name) + 2 : lines.index(b"\r\n", start)] if start >= 0 else b""
