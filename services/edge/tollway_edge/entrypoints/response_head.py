"""Status line and headers of an HTTP/1.1 answer as bytes; used by `exchange` and `refusals`."""

from __future__ import annotations

from http import HTTPStatus

_STATUS_LINES = {status.value: b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}


def response_head(status: int, *header_lines: bytes, body: bytes = b"") -> bytes:
    """Return everything up to the body, and that; a provider's lines were looked through, all others are ours."""
    return b"".join((_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status, *header_lines, b"\r\n", body))
