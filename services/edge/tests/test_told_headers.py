"""What of a provider's headers reaches a client where they came in a message."""

from __future__ import annotations

import pytest
from tollway_edge.adapters.told_headers import told_headers


def test_headers_are_passed_on_unless_they_would_break_the_answer() -> None:
    sound = b"request-id: req_1\r\nx-note: na\xefve \xe2\x86\x92 yes\r\n"
    assert told_headers(sound + b"x-bad: a\x00b\r\nx-gateway-model: of another gateway\r\n") == sound


@pytest.mark.parametrize(
    ("told", "left"),
    [
        (b"x-a: 1\rset-cookie: 2\nx-b: 3\r\nx-c: 4\r\n", b"x-c: 4\r\n"),
        (b"x-a: 1\nset-cookie: 2\r\nx-c: 4\r\n", b"x-c: 4\r\n"),
        (b"x-a\rset-cookie: 2\r\nx-c: 4\r\n", b"x-c: 4\r\n"),
        (b"x-a: 1\r\n\r\nHTTP/1.1 200 OK: 2\r\n", b"x-a: 1\r\nHTTP/1.1 200 OK: 2\r\n"),
        (b"\r\nx-c: 4\r\n", b"x-c: 4\r\n"),
        (b"x-c: 4\r\n\r\n", b"x-c: 4\r\n"),
        (b"x-c: 4\r\nx-d: cut", b"x-c: 4\r\n"),
        (b"", b""),
    ],
)
def test_headers_neither_begin_others_nor_end_the_head(told: bytes, left: bytes) -> None:
    assert told_headers(told) == left
