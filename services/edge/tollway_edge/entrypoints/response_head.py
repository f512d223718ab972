"""Status line and headers of an HTTP/1.1 answer as bytes; used by `exchange` and `refusals`."""

from __future__ import annotations

from http import HTTPStatus

_STATUS_LINES = {status.value: b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}


def response_head(status: int, *header_lines: bytes) -> bytes:
    """
    Return everything up to the body.

    Raises:
        ValueError: A line ends in other than CRLF, or does not end.
    """
    lines = b"".join(header_lines)
    ends = lines.count(b"\r\n")
    if lines.count(b"\n") != ends or lines.count(b"\r") != ends or not lines.endswith(b"\r\n"):
        raise ValueError("the headers are not lines")
    return b"%b%b\r\n" % (_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status, lines)
