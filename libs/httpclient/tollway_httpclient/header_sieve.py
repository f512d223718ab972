"""
Which lines of a head are handed on, and how; asked by `response_parser`, once httptools has found the head in order.

    handed on = *( name ":" SP value CRLF )        name in lower case, no blanks at the value's ends

A head is looked at through the shapes of those that came before it. Where it has none of them, one compiled expression
finds what stays here and what is not written like that; all else is handed on as it came.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from tollway_httpclient.answer_shape import AnswerShapes
from tollway_httpclient.head_shape import Headers, HeadShape

if TYPE_CHECKING:
    from collections.abc import Iterable

# of the connection, or of how the body is framed and coded: to be looked at
_TOLD = frozenset({"connection", "content-encoding", "keep-alive", "transfer-encoding"})
_TELLING = frozenset(name.encode() for name in _TOLD)
# of these the parser knows all that is needed
_HOP_BY_HOP = frozenset({"content-length", "proxy-authenticate", "proxy-connection", "te", "trailer", "upgrade"})

_NAME = "[!#$%&'*+.^_`|~0-9a-z-]*+"

# answers repeat a few dozen names; a server that invents them must not fill the memory
_PREFIXES: dict[bytes, bytes] = {}
_MAX_NAMES, _MAX_NAME_BYTES = 1024, 64

_MAX_SHAPES = 4
# of the heads that have no known shape one in so many is learned, which costs half a millisecond: the frequent ones are
_LEARNED_EVERY = 256


class HeaderSieve:
    """
    Keeps back the headers of the connection and of the body's framing and coding, and others.

    Args:
        left_out: The names of those others, in lower case; one that ends in `*` stands for all that begin like it.
    """

    def __init__(self, left_out: Iterable[str] = ()) -> None:
        names = _HOP_BY_HOP.union(left_out)
        initials = "".join(sorted({initial for name in names | _TOLD for initial in (name[0], name[0].upper())}))
        left = rf"[Cc]onnection: [Kk]eep-[Aa]live\r|(?:{_any_of(names)}):[^\n]*+"
        told = rf"((?:{_any_of(_TOLD)}):[^\n]*+)"
        ends_well = r"[^\r]*+(?<![\t ])"
        # of a line that is not written as it is handed on: what comes before its value, or all of it if blanks end it
        other = rf"({_NAME}(?!: [^\r\t ]{ends_well})(?:[^:]*+:[\t ]*+(?={ends_well})|[^\r]++))"
        # the initial spares most lines a look at all the names
        self._pattern = re.compile(rf"\n(?:(?=[{initials}])(?:{left}|{told})|{other})".encode())
        self.answers = AnswerShapes(_TELLING | {b"proxy-connection"})  # which the parser takes for `connection`
        """Whole answers with heads that were sifted before."""
        self._shapes: deque[HeadShape] = deque(maxlen=_MAX_SHAPES)
        self._unknown = 0
        """Heads that had none of them."""

    def sift(self, lines: bytes) -> tuple[bytes, Headers]:
        """
        Return the lines that are handed on, and what the head tells of connection, framing and coding.

        `connection: keep-alive` tells nothing and is not among it, unless it is written in an unusual way.
        """
        for shape in self._shapes:
            if found := shape.find(lines):
                return shape.template % found.groups(), shape.told
        sifted, told = self._sift_unknown(lines)
        self._unknown += 1
        if self._unknown % _LEARNED_EVERY == 1 and (learned := HeadShape.of(lines, sifted, told, _TELLING)):
            self._shapes.append(learned)
        return sifted, told

    def _sift_unknown(self, lines: bytes) -> tuple[bytes, Headers]:
        told: Headers = []
        each = iter(self._pattern.split(b"\n" + lines))
        kept = [next(each)]
        for of_connection, other, rest in zip(each, each, each, strict=False):  # they come in threes
            if of_connection is not None:
                name, _, value = of_connection.partition(b":")
                told.append((name.lower(), value.strip(b"\t \r")))
            elif other is not None:
                kept.append(_PREFIXES.get(other) or _canonical(other))
            kept.append(rest)
        sifted = b"".join(kept)[1:]
        return (_without_named(sifted, told) if told else sifted), told


def pairs_of(lines: bytes) -> Headers:
    """Return the names, in lower case, and values of lines however they are written."""
    each = (line.partition(b":") for line in lines.split(b"\r\n")[:-1])
    return [(name.lower(), value.strip(b"\t ")) for name, _, value in each]


def _any_of(names: Iterable[str]) -> str:
    """Return an expression for any of the names, in capitals or not, that tries few of them."""
    rests: dict[str, list[str]] = {}
    for name in sorted(names):
        rest = re.escape(name[1:-1]) + _NAME if name.endswith("*") else re.escape(name[1:])
        rests.setdefault(name[0], []).append(rest)
    return "|".join(f"[{initial}{initial.upper()}](?i:{'|'.join(each)})" for initial, each in rests.items())


def _canonical(line: bytes) -> bytes:
    name, _, value = line.partition(b":")
    canonical = b"\n%b: %b" % (name.lower(), value.strip(b"\t "))
    if not value.strip(b"\t ") and len(_PREFIXES) < _MAX_NAMES and len(line) <= _MAX_NAME_BYTES:
        _PREFIXES[line] = canonical
    return canonical


def _without_named(lines: bytes, told: Headers) -> bytes:
    """Leave out the headers that `connection` names, too."""
    named = {
        named.strip(b"\t ").lower() for name, value in told if name == b"connection" for named in value.split(b",")
    }
    if not named:
        return lines
    return b"".join([line for line in lines.splitlines(keepends=True) if line.partition(b":")[0] not in named])
