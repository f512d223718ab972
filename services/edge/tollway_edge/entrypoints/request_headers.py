"""What edge takes from a request's headers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# what belongs to the provider; everything else (keys, cookies, addresses of proxies) stays here
FORWARDED = frozenset(
    {
        b"accept",
        b"anthropic-beta",
        b"anthropic-version",
        b"content-type",
        b"idempotency-key",
        b"openai-beta",
        b"user-agent",
    }
)
# W3C's form; anything else is no trace, and not every text may travel as gRPC metadata
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(slots=True)
class RequestHeaders:
    """The parts of a request's headers that the gateway acts on."""

    credential: str = ""
    forwarded: list[tuple[str, str]] = field(default_factory=list)
    traceparent: str = ""
    conversation_id: str = ""
    content_length: int = 0
    is_anthropic: bool = False
    """`anthropic-version` is there, so the client speaks that dialect."""

    @classmethod
    def read(cls, headers: Iterable[tuple[bytes, bytes]]) -> RequestHeaders:
        """Read raw ASGI headers, names in lower case."""
        read = cls()
        for name, value in headers:
            if name in FORWARDED:
                read.forwarded.append((name.decode("latin-1"), value.decode("latin-1")))
                read.is_anthropic |= name == b"anthropic-version"
            elif name == b"x-api-key":
                read.credential = value.decode("latin-1").strip()
            elif name == b"authorization" and not read.credential and value[:7].lower() == b"bearer ":
                read.credential = value[7:].decode("latin-1").strip()
            elif name == b"content-length":
                read.content_length = int(value)
            elif name == b"traceparent" and _TRACEPARENT.fullmatch(value):
                read.traceparent = value.decode("latin-1")
            elif name == b"x-gateway-conversation-id":
                read.conversation_id = value.decode("latin-1")
        return read
