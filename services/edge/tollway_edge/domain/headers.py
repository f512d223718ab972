"""The headers of an answer: the provider's own where there is one, and the X-Gateway ones that tell what was done."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect
from tollway_dialects.header_lines import to_lines

if TYPE_CHECKING:
    from tollway_edge.domain.call import Call
    from tollway_edge.domain.errors import GatewayError

JSON = b"content-type: application/json\r\n"
EVENT_STREAM = b"content-type: text/event-stream; charset=utf-8\r\n"
_REQUEST_ID = {
    Dialect.ANTHROPIC_MESSAGES: b"request-id",
    Dialect.ANTHROPIC_COUNT_TOKENS: b"request-id",
    Dialect.OPENAI_CHAT: b"x-request-id",
    Dialect.OPENAI_RESPONSES: b"x-request-id",
    Dialect.OPENAI_EMBEDDINGS: b"x-request-id",
    Dialect.OPENAI_INPUT_TOKENS: b"x-request-id",
}
# an answer about a caller's own spending must not be kept by a proxy, and a stream not be held back by one
_UNSHARED = b"cache-control: no-cache\r\nx-accel-buffering: no\r\n"


def gateway_headers(call: Call, before: bytes = b"") -> bytes:
    """Return what every answer of a chat route carries, behind the lines that it has of its own."""
    model = call.model or call.requested_model
    chosen = _chosen(model, call.provider, call.tier, call.cache, call.classifier, call.saved_micro_usd)
    lines = b"".join((before, chosen, call.call_id[-8:].encode(), b"\r\n"))
    if call.dropped:
        lines += b"x-gateway-dropped: %b\r\n" % _value(", ".join(call.dropped))
    if call.fallback:
        lines += b"x-gateway-fallback: %b\r\n" % _value(call.fallback)
    if call.body_changes or (call.body and call.body.changes):
        changes = [*(call.body.changes if call.body else ()), *call.body_changes]
        lines += b"x-gateway-body-changes: %b\r\n" % _value(", ".join(changes))
    return lines


def own_headers(call: Call, content_type: bytes) -> bytes:
    """Return headers of an answer that no provider gave: from the cache, or an error of ours."""
    request_id = b"%b: %b\r\n" % (_REQUEST_ID[call.dialect], request_id_of(call).encode())
    return gateway_headers(call, b"".join((content_type, request_id, _UNSHARED)))


def error_headers(call: Call, error: GatewayError) -> bytes:
    """Return headers of a refusal; they tell clients whether to come again, and when."""
    return own_headers(call, JSON) + to_lines(retry_headers(error.retry_after))


def retry_headers(retry_after: float | None) -> list[tuple[bytes, bytes]]:
    if retry_after is None:
        return [(b"x-should-retry", b"false")]
    return [(b"x-should-retry", b"true"), (b"retry-after", b"%d" % max(1, math.ceil(retry_after)))]


def request_id_of(call: Call) -> str:
    return f"req_{call.call_id}"


@lru_cache(maxsize=1024)
def _chosen(model: str, provider: str, tier: str, cache: str, classifier: str, saved_micro_usd: int) -> bytes:
    """Return what many calls have in common, up to the id of each."""
    return (
        b"x-gateway-model: %b\r\nx-gateway-provider: %b\r\nx-gateway-tier: %b\r\nx-gateway-cache: %b\r\n"
        b"x-gateway-classifier: %b\r\nx-gateway-escalations: 0\r\nx-gateway-saved-usd: %d.%06d\r\n"
        b"x-gateway-query-id: "
    ) % (
        _value(model),
        _value(provider),
        _value(tier),
        _value(cache),
        _value(classifier),
        *divmod(saved_micro_usd, 1_000_000),
    )


def _value(text: str) -> bytes:
    # a model's name comes from the client: what is no printable ASCII does not reach a header
    text = text[:200]
    if not (text.isascii() and text.isprintable()):
        text = "".join(letter for letter in text if " " <= letter <= "~")
    return text.encode() or b"n/a"
