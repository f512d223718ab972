"""Status line and headers of an HTTP/1.1 answer as bytes; used by `exchange` and `refusals`."""

from __future__ import annotations

from http import HTTPStatus

_STATUS_LINES = {status.value: b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}


def response_head(
    status: int, header_lines: bytes, framing: bytes, connection: bytes = b"", body: bytes = b""
) -> bytes:
    """
    Return everything up to the body, and that.

    Args:
        status: The answer's.
        header_lines: A provider's that were looked through, and ours.
        framing: The line that tells where the body ends; nothing where the connection's end does.
        connection: The line that says that it ends; nothing where it does not.
        body: What leaves in one write with the head.
    """
    status_line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
    return b"".join((status_line, header_lines, framing, connection, b"\r\n", body))
