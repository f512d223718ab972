"""
Bytes to an answer, on httptools; fed by `connection`, which looks at the fields after every `feed`.

    stream = *informational answer ; nothing may follow
    informational = status 1xx without a body, skipped; 101 is refused, since no upgrade is ever asked for
    answer = head body
    body   = nothing                to HEAD, or status 204, 304
           | content-length bytes   one such header, digits only
           | chunks                 transfer-encoding: chunked, once, and nothing else; extensions, trailers dropped
           | all until EOF          neither of the two headers; both together are refused

httptools is strict where answers could be split or smuggled: NUL, bare CR or LF, folded lines, a space before the
colon, two lengths, a length beside chunks. It is not asked to be lenient anywhere. Neither is it asked for the headers,
which would cost a call each: once it has found a head in order, its lines are taken from the bytes as they came. A
whole answer that is like one before it does not come to it at all (`answer_shape`).
"""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from tollway_httpclient.errors import MalformedResponse
from tollway_httpclient.head_shape import Headers
from tollway_httpclient.header_sieve import HeaderSieve
from tollway_httpclient.limits import MAX_HEAD, MAX_HEADERS

if TYPE_CHECKING:
    from tollway_httpclient.answer_shape import AnswerShape

# `Keep-Alive: timeout=5`: how long the server means to keep an idle connection
_KEPT = re.compile(rb"timeout=([0-9]{1,6})", re.IGNORECASE)
_LINE_END = b"\r\n"
_WITHOUT_BODY = frozenset({204, 304})
_MIN_LINE = len(b"a:\r\n")


class ResponseParser:
    """The answers of one connection, one after the other."""

    __slots__ = (
        *("all_lines", "fault", "is_complete", "is_reusable", "kept_seconds", "lines", "on_body", "status", "told"),
        *("_heads", "_heads_end", "_is_chunked", "_is_to_head", "_parser", "_parts", "_sieve", "_silent"),
        "_status_line",
    )

    def __init__(self, sieve: HeaderSieve) -> None:
        self._parts: list[bytes] = []
        """Of the body, what this read has brought so far."""
        # looked up by httptools: an answer of many chunks runs no Python for each
        self.on_body = self._parts.append
        self.all_lines = self.lines = b""
        """Of the head: as they came, and those that are handed on."""
        self.told: Headers = []
        """What the head tells of connection, framing and coding."""
        self._sieve = sieve
        self._parser = HttpResponseParser(self)
        self.begin()

    def begin(self, is_to_head: bool = False) -> None:
        """Expect the next answer."""
        self.status = 0
        """0 until the head is there."""
        self.fault: MalformedResponse | None = None
        """Why there will be no more of it."""
        self.is_complete = False
        self.is_reusable = False
        """The connection may carry another request."""
        self.kept_seconds = inf
        """The server said that it keeps the connection for so long."""
        self._is_to_head = is_to_head
        self._is_chunked = False
        self._heads = b""
        """What came until the head was whole, informational answers included."""
        self._heads_end = 0
        self._status_line = b""
        self._silent = 0

    def feed(self, data: bytes | memoryview) -> bytes:
        """Read on, and return what came of the body, joined; before the `fault`, if there is one from now on."""
        if not self.status:
            if not (self._heads or self._is_to_head) and (known := self._sieve.answers.find(data)):
                shape, found = known
                return self._take(shape, found)
            self._heads += data
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self.is_reusable = False
            if not self.is_complete:
                self.fault = _fault_of(error)
        parts = self._parts
        if parts:
            self._silent = 0
            body = parts[0] if len(parts) == 1 else b"".join(parts)
            parts.clear()
            return body
        self._silent += len(data)
        if self._silent > MAX_HEAD and not self.is_complete and self.fault is None:
            self.fault = MalformedResponse(f"more than {MAX_HEAD} bytes without one of the body")
        return b""

    def _take(self, shape: AnswerShape, found: tuple[bytes, ...]) -> bytes:
        """Take a whole answer, and return its body."""
        self.status, self.told, self.kept_seconds = shape.status, shape.told, shape.kept_seconds
        self.all_lines, self.lines = found[0], shape.template % found
        self.is_complete = self.is_reusable = True
        return found[-1]

    def feed_eof(self) -> None:
        """The server will send no more, which completes an answer that has no other end."""
        self.is_reusable = False
        if self.status and not self._is_chunked and not _announces_length(self.all_lines):
            self.is_complete = True

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise _Enough

    def on_headers_complete(self) -> None:
        self.all_lines = lines = self._next_lines()
        self.lines, self.told = self._sieve.sift(lines)
        if self.told:
            self._read_told()
        status = self._parser.get_status_code()
        if status >= 200:
            self.status = status
            self._heads = b""
            if self._is_to_head:  # httptools cannot be told that no body will come: it has done its work
                self.is_complete = True
                raise _Enough
        elif status < 100 or self._is_chunked or _announces_length(lines):
            raise MalformedResponse("a status that is none, or has no body and announces one")

    def _next_lines(self) -> bytes:
        """Return the header lines of the head that came to its end just now."""
        heads, begin = self._heads, self._heads_end
        while heads[begin] in _LINE_END:  # empty lines before a head are allowed
            begin += 1
        if not heads.startswith(b"HTTP/", begin):  # httptools takes RTSP and ICE, too
            raise MalformedResponse("it does not speak HTTP")
        end = heads.find(b"\r\n\r\n", begin) + 4
        if not begin + 4 < end <= begin + MAX_HEAD:
            raise MalformedResponse(f"a head of more than {MAX_HEAD} bytes")
        self._heads_end = end
        lines_at = heads.find(b"\n", begin) + 1
        self._status_line, lines = heads[begin:lines_at], heads[lines_at : end - 2]
        if len(lines) > MAX_HEADERS * _MIN_LINE and lines.count(b"\n") > MAX_HEADERS:
            raise MalformedResponse(f"more than {MAX_HEADERS} headers")
        return lines

    def _read_told(self) -> None:
        for name, value in self.told:
            if name == b"transfer-encoding":
                if self._is_chunked or value.lower() != b"chunked":
                    raise MalformedResponse("a transfer-encoding other than chunked")
                self._is_chunked = True
            elif name == b"keep-alive" and (kept := _KEPT.search(value)):
                self.kept_seconds = float(kept[1])

    def on_message_complete(self) -> None:
        if not self.status:
            return  # of an informational answer
        self.is_complete = True
        # HTTP/1.0 knows no chunks: whoever sends them is not to be trusted with another request
        is_sound = not self._is_chunked or self._parser.get_http_version() == "1.1"
        self.is_reusable = is_sound and self._parser.should_keep_alive()
        if self.is_reusable and not self._is_chunked and self.status not in _WITHOUT_BODY:
            self._sieve.answers.learn(
                self.status, self._status_line, self.all_lines, self.lines, self.told, self.kept_seconds
            )


class _Enough(Exception):
    """Stops httptools: the answer is complete, and what follows it is nobody's."""


def _fault_of(error: Exception) -> MalformedResponse:
    """Return what was raised in a callback, which httptools keeps as a context, or what httptools found itself."""
    if isinstance(error, HttpParserUpgrade):
        return MalformedResponse("it changes the protocol")
    cause = error.__context__
    if isinstance(cause, MalformedResponse):
        return cause
    if cause is not None:
        raise cause
    return MalformedResponse(str(error))


def _announces_length(lines: bytes) -> bool:
    return b"\ncontent-length:" in b"\n" + lines.lower()
