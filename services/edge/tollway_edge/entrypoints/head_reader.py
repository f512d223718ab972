"""Heads of requests as uvicorn's parser finds them, and what they may take; the base of `connection`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tollway_edge.entrypoints.deadlines import BODY, HEAD, Deadlines
from tollway_edge.entrypoints.refusals import head_too_large
from tollway_edge.entrypoints.request_headers import head_size

if TYPE_CHECKING:
    from tollway_edge.domain.errors import GatewayError
    from tollway_edge.entrypoints.deadlines import ConnectionLimits


class HeadReader(HttpToolsProtocol):
    """Keeps target and headers of the head that comes now."""

    def __init__(self, limits: ConnectionLimits, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self.limits = limits
        self.url, self.headers = b"", []
        self._deadlines = Deadlines(limits, self.loop.time)
        self._refusal: GatewayError | None = None

    def on_message_begin(self) -> None:
        self.url, self.headers = b"", []
        self._deadlines.enter(HEAD)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._deadlines.phase is not BODY:
            self.headers.append((name.lower(), value))
            return
        self._deadlines.head_bytes += len(name) + len(value) + 4  # a trailer, of which nobody wants to know
        if self._deadlines.head_bytes > self.limits.max_header_bytes:
            raise ValueError("the trailers are too large")

    def _hand_on(self) -> None:
        """Let uvicorn make a scope of the request and give it to the ASGI application."""
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        self.scope["headers"] = self.headers = headers
        self.expect_100_continue = any(n == b"expect" and v.lower() == b"100-continue" for n, v in headers)
        super().on_headers_complete()

    def _check_head(self) -> None:
        """Raise `ValueError`, which stops the parser, so that `data_received` refuses."""
        most = self.limits.max_header_bytes
        if self._deadlines.head_bytes > most and head_size(self.url, self.headers) > most:
            self._refusal = head_too_large(most)
            raise ValueError("the head is too large")
        if self.parser.get_http_version() not in ("1.1", "1.0"):
            raise ValueError("neither HTTP/1.1 nor 1.0")
