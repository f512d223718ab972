"""The headers of an answer: the provider's own where there is one, and the X-Gateway ones that tell what was done."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect

if TYPE_CHECKING:
    from tollway_edge.domain.call import Call, Headers
    from tollway_edge.domain.errors import GatewayError
    from tollway_edge.domain.ports import RawHeaders

JSON = (b"content-type", b"application/json")
EVENT_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")
_REQUEST_ID = {
    Dialect.ANTHROPIC_MESSAGES: b"request-id",
    Dialect.ANTHROPIC_COUNT_TOKENS: b"request-id",
    Dialect.OPENAI_CHAT: b"x-request-id",
    Dialect.OPENAI_RESPONSES: b"x-request-id",
    Dialect.OPENAI_EMBEDDINGS: b"x-request-id",
}
# an answer about a caller's own spending must not be kept by a proxy, and a stream not be held back by one
_UNSHARED = [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
# what no header may hold; a server that meets one answers nothing at all
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def gateway_headers(call: Call) -> RawHeaders:
    """Return what every answer of a chat route carries."""
    headers = [
        (b"x-gateway-model", _value(call.model or call.requested_model)),
        (b"x-gateway-provider", _value(call.provider)),
        (b"x-gateway-tier", call.tier.encode()),
        (b"x-gateway-cache", call.cache.encode()),
        (b"x-gateway-saved-usd", b"%d.%06d" % divmod(call.saved_micro_usd, 1_000_000)),
        (b"x-gateway-classifier", call.classifier.encode()),
        (b"x-gateway-escalations", b"0"),
        (b"x-gateway-query-id", call.query_id.encode()),
    ]
    changes = [*(call.body.changes if call.body else ()), *call.body_changes]
    if changes:
        headers.append((b"x-gateway-body-changes", ", ".join(changes).encode()))
    return headers


def provider_headers(call: Call, headers: Headers) -> RawHeaders:
    """Return the provider's headers with ours behind them."""
    told = [
        (name.encode(), value.encode())
        for name, value in headers
        if (value.isprintable() or not _CONTROLS.search(value)) and not name.startswith("x-gateway-")
    ]
    return told + gateway_headers(call)


def own_headers(call: Call, content_type: tuple[bytes, bytes]) -> RawHeaders:
    """Return headers of an answer that no provider gave: from the cache, or an error of ours."""
    request_id = (_REQUEST_ID[call.dialect], request_id_of(call).encode())
    return [content_type, request_id, *_UNSHARED, *gateway_headers(call)]


def error_headers(call: Call, error: GatewayError) -> RawHeaders:
    """Return headers of a refusal; they tell clients whether to come again, and when."""
    return own_headers(call, JSON) + retry_headers(error.retry_after)


def retry_headers(retry_after: float | None) -> RawHeaders:
    if retry_after is None:
        return [(b"x-should-retry", b"false")]
    return [(b"x-should-retry", b"true"), (b"retry-after", b"%d" % max(1, math.ceil(retry_after)))]


def request_id_of(call: Call) -> str:
    return f"req_{call.call_id}"


def _value(text: str) -> bytes:
    # a model's name comes from the client: what is no printable ASCII does not reach a header
    text = text[:200]
    if not (text.isascii() and text.isprintable()):
        text = "".join(letter for letter in text if " " <= letter <= "~")
    return text.encode() or b"n/a"
