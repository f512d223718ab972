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
colon, two lengths, a length beside chunks. It is not asked to be lenient anywhere.
"""

from __future__ import annotations

import re
from math import inf

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from tollway_httpclient.errors import MalformedResponse
from tollway_httpclient.limits import MAX_HEAD, MAX_HEADERS

RawHeaders = list[tuple[bytes, bytes]]

# answers repeat a few dozen names; a server that invents them must not fill the memory
_LOWER: dict[bytes, bytes] = {}
_MAX_NAMES, _MAX_NAME_BYTES = 1024, 64
# `Keep-Alive: timeout=5`: how long the server means to keep an idle connection
_KEPT = re.compile(rb"timeout=([0-9]{1,6})", re.IGNORECASE)


class ResponseParser:
    """The answers of one connection, one after the other."""

    __slots__ = (
        *("headers", "is_complete", "is_reusable", "kept_seconds", "on_body", "parts", "status"),
        *("_has_length", "_is_chunked", "_is_to_head", "_lines", "_parser", "_silent"),
    )

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        """Bytes of the body that nobody took yet."""
        # looked up by httptools: an answer of many chunks runs no Python for each
        self.on_body = self.parts.append
        self._parser = HttpResponseParser(self)
        self.begin()

    def begin(self, *, is_to_head: bool = False) -> None:
        """Expect the next answer."""
        self.status = 0
        """0 until the head is there."""
        self.headers: RawHeaders = []
        self.is_complete = False
        self.is_reusable = False
        """The connection may carry another request."""
        self.kept_seconds = inf
        """The server said that it keeps the connection for so long."""
        self._is_to_head = is_to_head
        self._is_chunked = self._has_length = False
        self._lines: list[tuple[bytes, bytes]] = []
        self._silent = 0

    def feed(self, data: bytes | memoryview) -> None:
        """Read on; raises `MalformedResponse`, and what came before the fault can be taken nevertheless."""
        self._silent += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self.is_reusable = False
            if not self.is_complete:
                raise _fault_of(error) from None
        if self.parts:
            self._silent = 0
        elif self._silent > MAX_HEAD and not self.is_complete:
            raise MalformedResponse(f"more than {MAX_HEAD} bytes without one of the body")

    def feed_eof(self) -> None:
        """The server will send no more, which completes an answer that has no other end."""
        self.is_reusable = False
        if self.status and not self._has_length and not self._is_chunked:
            self.is_complete = True

    def take(self) -> bytes:
        """Return what came of the body, joined."""
        body = self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)
        self.parts.clear()
        return body

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise _Enough

    def on_header(self, name: bytes, value: bytes) -> None:
        # of a trailer too, which nobody looks at
        self._lines.append((_LOWER.get(name) or _lower(name), value.rstrip()))

    def on_headers_complete(self) -> None:
        self.headers = headers = self._lines
        self._lines = []
        if len(headers) > MAX_HEADERS:
            raise MalformedResponse(f"more than {MAX_HEADERS} headers")
        if self._silent > MAX_HEAD and sum(len(name) + len(value) for name, value in headers) > MAX_HEAD:
            raise MalformedResponse(f"headers of more than {MAX_HEAD} bytes")
        self._read_framing()
        status = self._parser.get_status_code()
        if status >= 200:
            self.status = status
        elif status < 100 or self._has_length or self._is_chunked:
            raise MalformedResponse("a status that is none, or has no body and announces one")
        if status >= 200 and self._is_to_head:  # httptools cannot be told that no body will come: it has done its work
            self.is_complete = True
            raise _Enough

    def _read_framing(self) -> None:
        told = dict(self.headers)
        self._has_length = b"content-length" in told
        if b"transfer-encoding" in told:
            if [value.lower() for name, value in self.headers if name == b"transfer-encoding"] != [b"chunked"]:
                raise MalformedResponse("a transfer-encoding other than chunked")
            self._is_chunked = True
        if b"keep-alive" in told and (kept := _KEPT.search(told[b"keep-alive"])):
            self.kept_seconds = float(kept[1])

    def on_message_complete(self) -> None:
        if not self.status:
            return  # of an informational answer
        self.is_complete = True
        # HTTP/1.0 knows no chunks: whoever sends them is not to be trusted with another request
        is_sound = not self._is_chunked or self._parser.get_http_version() == "1.1"
        self.is_reusable = is_sound and self._parser.should_keep_alive()


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


def _lower(name: bytes) -> bytes:
    lower = name.lower()
    if len(_LOWER) < _MAX_NAMES and len(name) <= _MAX_NAME_BYTES:
        _LOWER[name] = lower
    return lower
