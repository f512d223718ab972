"""Answers to what never became a request: broken HTTP, heads that are too large or do not end; used by `connection`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect
from tollway_dialects.header_lines import to_lines
from tollway_dialects.wires import WIRES

from tollway_edge.domain.errors import GatewayError, GatewayErrorKind
from tollway_edge.domain.headers import JSON, retry_headers
from tollway_edge.entrypoints.response_head import response_head

if TYPE_CHECKING:
    from collections.abc import Iterable


def malformed_http() -> GatewayError:
    message = "this is no valid HTTP/1.1 request; the connection is closed, look at client and proxies"
    return GatewayError(GatewayErrorKind.INVALID_REQUEST, "MALFORMED_HTTP", message)


def head_too_large(most: int) -> GatewayError:
    message = f"request line and headers are larger than {most} bytes: send less, or raise edge.max_header_bytes"
    return GatewayError(GatewayErrorKind.HEADERS_TOO_LARGE, "HEADERS_TOO_LARGE", message)


def too_slow(part: str) -> GatewayError:
    message = f"the request's {part} did not arrive in time; the connection is closed, send it again"
    return GatewayError(GatewayErrorKind.REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message)


def refusal(error: GatewayError, path: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a whole answer in the dialect that path and headers point to; the connection ends with it."""
    is_anthropic = path.startswith(b"/v1/messages") or any(name == b"anthropic-version" for name, _ in headers)
    wire = WIRES[Dialect.ANTHROPIC_MESSAGES if is_anthropic else Dialect.OPENAI_CHAT]
    body = wire.error_body(error.kind, error.message, "")
    framing = b"content-length: %d\r\nconnection: close\r\n" % len(body)
    return response_head(error.kind.status, JSON + to_lines(retry_headers(error.retry_after)), framing, body=body)
