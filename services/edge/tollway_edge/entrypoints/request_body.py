"""What a request's headers say of its body: checked and undone before anybody reads it; used by `exchange`."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from tollway_edge.domain.errors import GatewayError, GatewayErrorKind

if TYPE_CHECKING:
    from tollway_edge.entrypoints.request_headers import RequestHeaders

# zlib's word for "gzip or zlib, whichever it is"
_ANY_HEADER = 47
CODINGS = frozenset({"gzip", "x-gzip", "deflate"})


def plain_body(raw: bytes, headers: RequestHeaders, most: int) -> bytes:
    """Return the JSON that a body holds, at most `most` bytes; raises `GatewayError`."""
    if "json" not in headers.content_type:
        message = f"content-type: must be application/json, not {headers.content_type[:60]!r}"
        raise GatewayError(GatewayErrorKind.UNSUPPORTED_MEDIA_TYPE, "MEDIA_TYPE_UNSUPPORTED", message)
    coding = headers.content_encoding
    if not coding or coding == "identity":
        return raw
    if coding not in CODINGS:
        message = f"content-encoding: {coding[:40]!r} is not supported; send gzip, deflate, or the plain body"
        raise GatewayError(GatewayErrorKind.UNSUPPORTED_MEDIA_TYPE, "ENCODING_UNSUPPORTED", message)
    return _inflated(raw, coding, most)


def _inflated(raw: bytes, coding: str, most: int) -> bytes:
    decoder = zlib.decompressobj(_ANY_HEADER)
    try:
        plain = decoder.decompress(raw, most + 1)
    except zlib.error:
        plain = b""
    if len(plain) > most:
        message = f"the request body has more than {most} bytes after decoding: send less, or raise edge.max_body_bytes"
        raise GatewayError(GatewayErrorKind.TOO_LARGE, "BODY_TOO_LARGE", message)
    if not decoder.eof or decoder.unused_data:
        message = f"the request body is not valid {coding}, as content-encoding says it is"
        raise GatewayError(GatewayErrorKind.INVALID_REQUEST, "MALFORMED", message)
    return plain
