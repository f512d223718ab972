"""
The head of a request on a hot path, and a client's habit of sending the same one again.

    POST /v1/messages HTTP/1.1 ␍␊ … content-length: │1234│ ␍␊ … ␍␊ ␍␊ body
    ╰────────────────── before ───────────────────╯digits╰── after ──╯

On a kept connection a client's next request usually differs in its body and the digits of its length alone. What the
parser made of the same bytes a moment ago is what it would make of them now, so they are compared instead of parsed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tollway_edge.entrypoints.request_headers import RequestHeaders

if TYPE_CHECKING:
    from httptools import HttpRequestParser

_MOST_DIGITS = 9
_LENGTH = re.compile(rb"\r\ncontent-length: ([0-9]{1,%d})\r\n" % _MOST_DIGITS, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RequestHead:
    """What is known of a request before its body."""

    method: bytes
    path: bytes
    """As it came, without its query."""
    query: str
    """Without its question mark."""
    headers: RequestHeaders
    keep_alive: bool
    """The client wants to go on with the connection."""
    can_chunk: bool
    """The client speaks HTTP/1.1, so an answer need not end with the connection."""

    @classmethod
    def read(
        cls, parser: HttpRequestParser, path: bytes, query: bytes, headers: list[tuple[bytes, bytes]]
    ) -> RequestHead:
        """Read what a parser has found; names of headers in lower case."""
        is_current = parser.get_http_version() == "1.1"
        return cls(
            method=parser.get_method(),
            path=path,
            query=query.decode("latin-1"),
            headers=RequestHeaders.read(headers),
            keep_alive=is_current and parser.should_keep_alive(),
            can_chunk=is_current,
        )


@dataclass(frozen=True, slots=True)
class RepeatedHead:
    """A head that may come again."""

    head: RequestHead
    form: bytes
    """Its bytes, with %d where the length of the body stands."""
    at: int
    """Where that is."""
    size: int
    """How many they are without those digits."""

    @classmethod
    def of(cls, data: bytes, head: RequestHead, received: int, max_body_bytes: int) -> RepeatedHead | None:
        """Take the head of `data` where nothing but so much of a body follows it, and nothing about it is special."""
        if not head.keep_alive or head.headers.expects_continue or head.headers.content_length > max_body_bytes:
            return None
        end = data.find(b"\r\n\r\n") + 4
        length = _LENGTH.search(data, 0, end)
        if length is None or len(data) - end != received or received > int(length[1]):
            return None
        before, after = data[: length.start(1)], data[length.end(1) : end]
        form = b"%b%%d%b" % (before.replace(b"%", b"%%"), after.replace(b"%", b"%%"))
        return cls(head, form, len(before), len(before) + len(after))

    def body_of(self, data: bytes) -> bytes | None:
        """Return the body where `data` is one whole request with the same head; None where it is anything else."""
        rest = len(data) - self.size  # the body, and the digits of its length
        digits = len(str(rest))
        head = self.form % (rest - digits)
        if len(head) != self.size + digits:  # as many digits as `rest` has were one too many
            digits -= 1
            head = self.form % (rest - digits)
            if len(head) != self.size + digits:
                return None
        return data[len(head) :] if rest >= digits and data.startswith(head) else None

    def beginning_of(self, data: bytes) -> tuple[int, memoryview] | None:
        """Return how long the body is, and what is here of it, where `data` begins with the same head."""
        digits = data[self.at : data.find(b"\r", self.at)]
        if len(digits) > _MOST_DIGITS or not digits.isdigit():
            return None
        head = self.form % int(digits)
        return (int(digits), memoryview(data)[len(head) :]) if data.startswith(head) else None
