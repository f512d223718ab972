"""Status line and headers of an HTTP/1.1 answer as bytes; used by `exchange` and `connection`."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_STATUS_LINES = {status.value: b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}


def response_head(status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """
    Return everything up to the body.

    Raises:
        ValueError: A header would end its line early and begin another.
    """
    line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
    lines = [b"%b: %b\r\n" % header for header in headers]
    head = b"".join((line, *lines, b"\r\n"))
    if head.count(b"\n") != len(lines) + 2 or head.count(b"\r") != len(lines) + 2:
        raise ValueError("a header holds a line end")
    return head
