"""What edge takes from a request's headers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httptools

from tollway_edge.domain.forwarded import Forwarded
from tollway_edge.domain.workspaces import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# what belongs to the provider; everything else (keys, cookies, addresses of proxies) stays here
FORWARDED = frozenset({b"accept", b"content-type", b"idempotency-key", b"openai-beta", b"user-agent", b"x-app"})
_VENDOR = b"anthropic-"
# these name an account, and the account is the gateway's
_ACCOUNT = frozenset({b"anthropic-workspace-id", b"anthropic-organization-id"})
_OFFER = frozenset({b"upgrade", b"http2-settings"})
# W3C's form; anything else is no trace, and not every text may travel as gRPC metadata
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(slots=True)
class RequestHeaders:
    """The parts of a request's headers that the gateway acts on."""

    key_digest: bytes = b""
    """Of the key that came, which nobody needs beyond this; nothing where there was none."""
    forwarded: Forwarded = field(default_factory=Forwarded)
    traceparent: str = ""
    conversation_id: str = ""
    content_length: int = 0
    content_type: str = ""
    """In lower case; JSON where the client did not say."""
    content_encoding: str = ""
    """How the body is compressed, in lower case; empty where it is not."""
    is_plain_json: bool = False
    """The body is JSON as it comes."""
    expects_continue: bool = False
    """The client sends its body once it is told to."""
    is_anthropic: bool = False
    """`anthropic-version` is there, so the client speaks that dialect."""

    @classmethod
    def read(cls, headers: Iterable[tuple[bytes, bytes]]) -> RequestHeaders:
        """Read raw headers, names in lower case."""
        read, key = cls(), ""
        forwarded: list[tuple[bytes, bytes]] = []
        for name, value in headers:
            if name in FORWARDED or (name[:10] == _VENDOR and name not in _ACCOUNT):
                forwarded.append((name, value))
                if name == b"anthropic-version":
                    read.is_anthropic = True
                elif name == b"content-type":
                    read.content_type = value.decode("latin-1").lower()
            elif name == b"x-api-key":
                key = value.decode("latin-1").strip()
            elif name == b"authorization" and not key and value[:7].lower() == b"bearer ":
                key = value[7:].decode("latin-1").strip()
            elif name == b"content-length":
                read.content_length = int(value)
            elif name == b"content-encoding":
                read.content_encoding = value.decode("latin-1").strip().lower()
            elif name == b"expect":
                read.expects_continue = value.lower() == b"100-continue"
            elif name == b"traceparent" and _TRACEPARENT.fullmatch(value):
                read.traceparent = value.decode("latin-1")
            elif name == b"x-gateway-conversation-id":
                read.conversation_id = value.decode("latin-1")
        if not read.content_type:
            read.content_type = "application/json"
            forwarded.append((b"content-type", b"application/json"))
        read.is_plain_json = "json" in read.content_type and not read.content_encoding
        read.forwarded = Forwarded.of(forwarded)
        read.key_digest = digest_of(key)
        return read


def split_target(target: bytes) -> tuple[bytes, bytes]:
    """Return path and query of a request line, whose target may be a whole address."""
    path, _, query = target.partition(b"?")
    if path[:1] != b"/" and path[:4].lower() == b"http":
        path = httptools.parse_url(target).path or b"/"
    return path, query


def head_size(target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> int:
    """Return how many bytes request line and headers take, give or take the line's few."""
    return len(target) + sum(len(name) + len(value) + 4 for name, value in headers)


def request_head(method: bytes, target: bytes, version: str, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return request line and headers as they came, less the offer of another protocol."""
    lines = [b"%b: %b\r\n" % header for header in headers if header[0] not in {b"upgrade", b"connection"}]
    told = b",".join(value for name, value in headers if name == b"connection").split(b",")
    if left := [token for token in map(bytes.strip, told) if token and token.lower() not in _OFFER]:
        lines.append(b"connection: %b\r\n" % b", ".join(left))
    return b"".join((b"%b %b HTTP/%b\r\n" % (method, target, version.encode()), *lines, b"\r\n"))
