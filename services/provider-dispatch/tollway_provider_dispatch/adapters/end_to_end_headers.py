"""Which headers of a provider's answer are for the client; asked by both HTTP clients for every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_DROPPED = frozenset(
    # of a connection, or of a body's framing and coding: it is handed on decoded, over another connection
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
    | {b"content-length", b"content-encoding", b"proxy-authenticate"}
    # of the provider's own address, which the client does not talk to
    | {b"alt-svc", b"clear-site-data", b"date", b"server", b"set-cookie", b"strict-transport-security"}
)
_NAME_NOTHING = frozenset({b"keep-alive", b"close"})


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return headers without those of the connection, `connection` itself naming further ones; names in lower case."""
    kept = []
    named: set[bytes] = set()
    for header in headers:
        if header[0] not in _DROPPED:
            kept.append(header)
        elif header[0] == b"connection" and (value := header[1].lower()) not in _NAME_NOTHING:
            named.update(name.strip() for name in value.split(b","))
    return [header for header in kept if header[0] not in named] if named else kept
