"""
Where a request goes and its head; `client` keeps one `Target` for each method and address.

    head = method SP target SP HTTP/1.1, host, [proxy-authorization], the caller's headers, [content-length], empty line

The caller's headers are sent as given and nothing is added. Whatever could end a line, and so begin another header or
another request, is refused, and so are headers that say how the message is framed: that is this client's to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from tollway_httpclient.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tollway_httpclient.pool import Pool

_PORTS = {"http": 80, "https": 443}
_TOKEN = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# our own: `urlsplit` takes line ends and tabs out before it looks
_URL = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?([/?#].*)?", re.DOTALL)
_OURS = frozenset(
    {b"connection", b"content-length", b"expect", b"host", b"keep-alive", b"te", b"trailer", b"transfer-encoding"}
    | {b"upgrade", b"proxy-authorization", b"proxy-connection"}
)
# everything that RFC 9110 keeps out of a header's value; the tab is allowed
_CONTROLS = bytes(code for code in (*range(0x20), 0x7F) if code != 0x09)
# what may stand in a target; all else is percent-encoded
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})

# lines that were found to be sendable: callers repeat themselves. Keys are among them, so they stay in memory, up to
# 2 MiB in all; where callers send other lines each time, those that repeat find their place again after a clearing
_sendable: set[bytes] = set()
_MAX_KNOWN, _MAX_KNOWN_BYTES = 1024, 2048


class Origin(NamedTuple):
    """What connections are kept for."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def split_url(url: str) -> tuple[Origin, str]:
    """Return the origin of an address, and path with query; raises `InvalidRequest`."""
    found = _URL.fullmatch(url)
    if not found:
        raise InvalidRequest("an address must be http(s)://host[:port]/…, host in ASCII, without a user")
    scheme, host, port, target = found.groups()
    origin = Origin(scheme, host.strip("[]").lower(), int(port or _PORTS[scheme]))
    if not 0 < origin.port < 1 << 16:
        raise InvalidRequest("an address has a port that is none")
    path = (target or "").partition("#")[0]
    return origin, quote(path if path.startswith("/") else f"/{path}", safe=_PRINTABLE)


@dataclass(frozen=True, slots=True)
class Target:
    """A method and an address, with all of the head that does not change from call to call."""

    pool: Pool
    lead: bytes
    is_head: bool
    has_length: bool

    @classmethod
    def of(cls, pool: Pool, method: str, path: str) -> Target:
        if not _TOKEN.fullmatch(method.encode()) or method == "CONNECT":
            raise InvalidRequest("a method must be a token, and not CONNECT")
        lead = f"{method} {pool.path_prefix}{path} HTTP/1.1\r\nhost: {pool.origin.authority}\r\n{pool.extra_headers}"
        return cls(pool, lead.encode("ascii"), method == "HEAD", method in _WITH_LENGTH)

    def head(self, headers: Iterable[tuple[str, str]] | bytes, length: int) -> bytes:
        """Return the head of a request; raises `InvalidRequest`."""
        given = headers if isinstance(headers, bytes) else _joined(headers)
        if given not in _sendable:
            _check(given)
        if length or self.has_length:
            return b"%b%bcontent-length: %d\r\n\r\n" % (self.lead, given, length)
        return b"%b%b\r\n" % (self.lead, given)


def _joined(headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    try:
        given = "".join(lines).encode("latin-1")
    except UnicodeEncodeError:
        raise InvalidRequest("a header's value is not latin-1") from None
    if given.count(b"\r\n") != len(lines):
        raise InvalidRequest("a header's value holds a control character")
    return given


def _check(lines: bytes) -> None:
    each = lines.split(b"\r\n")
    if each.pop():
        raise InvalidRequest("a header's line does not end")
    for line in each:
        name, colon, value = line.partition(b": ")
        if not colon or not _TOKEN.fullmatch(name):
            raise InvalidRequest("a header's name is not a token")
        if name.lower() in _OURS:
            raise InvalidRequest(f"{name.lower().decode()} is not the caller's to send")
        if len(value.translate(None, _CONTROLS)) != len(value):
            raise InvalidRequest("a header's value holds a control character")
    if len(lines) <= _MAX_KNOWN_BYTES:
        if len(_sendable) >= _MAX_KNOWN:
            _sendable.clear()
        _sendable.add(lines)
