"""
The head of an answer as the lines that came; read by `connection` where it came whole with its body, else by
`response_parser`.

    head   = "HTTP/1.1" SP status [SP reason] CRLF *256line CRLF        as most servers write it: *canonical*
    line   = token ":" SP value CRLF                                    value without blanks at its ends, or empty
    plain  = head body, in one read, and neither to HEAD nor with status 1xx, 204, 304; of the framing headers it has
             one content-length, which is the body's, and at most `connection: keep-alive` beside it

A plain answer needs no parser. Whatever is not plain is llhttp's to judge, and only then read here.
"""

from __future__ import annotations

import re

from tollway_httpclient.errors import MalformedResponse
from tollway_httpclient.limits import MAX_HEAD, MAX_HEADERS

Framing = list[tuple[bytes, bytes]]
Head = tuple[int, bytes, Framing, int]
"""Status; lines, names in lower case; those of them that tell of framing, coding and connection; where the head ends."""

_VALUE = rb"(?:[!-~\x80-\xff][\t -~\x80-\xff]*+(?<![\t ]))?+"
_LOWER_LINE = rb"[!#$%%&'*+.^_`|~0-9a-z-]++: %b\r\n" % _VALUE
_LINE = rb"[!#$%%&'*+.^_`|~0-9A-Za-z-]++: %b\r\n" % _VALUE
# the second run of lines begins with the first name that has a capital
_CANONICAL = re.compile(
    rb"HTTP/1\.1 ([1-9][0-9][0-9])(?: [\t -~\x80-\xff]*+)?+\r(\n(?:%b){0,%d}+((?:%b){0,%d}+))\r\n"
    % (_LOWER_LINE, MAX_HEADERS, _LINE, MAX_HEADERS)
)
# what llhttp takes beyond that: other versions, other blanks around values, empty lines before the head
_LOOSE = re.compile(
    rb"[\r\n]*+HTTP/[0-9]\.[0-9] ([0-9]{3})[^\r\n]*+\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t -~\x80-\xff]*+\r\n)*+)\r\n"
)
_WITH_CAPITALS = re.compile(rb"\n[^:A-Z]*+[A-Z][^:]*+")
_FRAMING = re.compile(
    rb"\n(content-(?:length|encoding)|transfer-encoding|(?:proxy-)?connection|keep-alive|upgrade): ([^\r]*+)"
)
_BODILESS = frozenset({204, 304})
_HARMLESS = frozenset({(b"connection", b"keep-alive"), (b"connection", b"Keep-Alive")})


def read_plain(data: bytes | memoryview) -> Head | None:
    """Return the head of a plain answer, which all the rest is the body of; None where it is not one."""
    head = _read_canonical(data, 0)
    if head is None or head[0] < 200 or head[0] in _BODILESS:
        return None
    _, _, framing, end = head
    length = (b"content-length", b"%d" % (len(data) - end))
    if framing != [length]:
        beside = [header for header in framing if header != length]
        if len(beside) != len(framing) - 1 or not _HARMLESS.issuperset(beside):
            return None
    return head


def read_head(data: bytes, begin: int) -> Head:
    """Return the head that begins here, which llhttp has judged; raises `MalformedResponse` for one beyond limits."""
    head = _read_canonical(data, begin)
    if head is not None:
        return head
    found = _LOOSE.match(data, begin)
    if found is None:
        raise MalformedResponse("a head that is not HTTP/1.1")
    if found.end() - begin > MAX_HEAD:
        raise MalformedResponse(f"a head of more than {MAX_HEAD} bytes")
    lines = found[2].split(b"\r\n")[:-1]
    if len(lines) > MAX_HEADERS:
        raise MalformedResponse(f"more than {MAX_HEADERS} headers")
    each = (line.partition(b":") for line in lines)
    block = b"\n" + b"".join([b"%b: %b\r\n" % (name.lower(), value.strip(b"\t ")) for name, _, value in each])
    return int(found[1]), block[1:], _FRAMING.findall(block), found.end()


def _read_canonical(data: bytes | memoryview, begin: int) -> Head | None:
    found = _CANONICAL.match(data, begin)
    if found is None:
        return None
    status, block, with_capitals = found.groups()
    end = found.end()
    if end - begin > MAX_HEAD:
        return None
    if with_capitals:
        if block.count(b"\n") > MAX_HEADERS + 1:
            return None
        block = _WITH_CAPITALS.sub(_lower, block)
    return int(status), block[1:], _FRAMING.findall(block), end


def _lower(found: re.Match[bytes]) -> bytes:
    return found[0].lower()
