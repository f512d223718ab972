"""
Which lines of a head are handed on, and how; asked by `response_parser` for every answer, after httptools has judged it.

    handed on = *( name ":" SP value CRLF )        name in lower case, no blanks at the value's ends

One compiled expression finds what stays here and what is not written like that; all else is handed on as it came. So an
answer costs nothing for each of its headers, and little for those that are found.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

# of the connection, or of how the body is framed and coded: to be looked at
_TOLD = frozenset({"connection", "content-encoding", "keep-alive", "transfer-encoding"})
# of these the parser knows all that is needed
_HOP_BY_HOP = frozenset(
    {"content-length", "proxy-authenticate", "proxy-connection", "te", "trailer", "upgrade"},
)
_NAME_NOTHING = frozenset({b"keep-alive", b"close"})

# answers repeat a few dozen names; a server that invents them must not fill the memory
_PREFIXES: dict[bytes, bytes] = {}
_MAX_NAMES, _MAX_NAME_BYTES = 1024, 64


class HeaderSieve:
    """
    Keeps back the headers of the connection and of the body's framing and coding, and whichever else it is told.

    Args:
        left_out: Names of the others, in lower case.
    """

    def __init__(self, left_out: Iterable[str] = ()) -> None:
        names = _HOP_BY_HOP.union(left_out)
        initials = "".join(sorted({initial for name in names | _TOLD for initial in (name[0], name[0].upper())}))
        pattern = (
            # looked at by its initial first, which spares most lines the names
            rf"\n(?:(?=[{initials}])(?:(?:{_any_of(names)}):[^\n]*+|((?:{_any_of(_TOLD)}):[^\n]*+))"
            # a name with a capital, or another blank than one before the value
            r"|([!#$%&'*+.^_`|~0-9a-z-]*+(?!: [^\r\t ])[^:]*+:[\t ]*+(?=[^\r]*+(?<![\t ])))"
            # a blank at the end
            r"|([^\r]++(?<=[\t ])))"
        )
        self._pattern = re.compile(pattern.encode())

    def sift(self, lines: bytes) -> tuple[bytes, Headers]:
        """Return the lines that are handed on, and what the head tells of connection, framing and coding."""
        told: Headers = []
        each = iter(self._pattern.split(b"\n" + lines))
        kept = [next(each)]
        for found, prefix, line, rest in zip(each, each, each, each, strict=True):
            if found is not None:
                name, _, value = found.partition(b":")
                told.append((name.lower(), value.strip(b"\t \r")))
            elif prefix is not None:
                kept.append(_PREFIXES.get(prefix) or _canonical(prefix))
            elif line is not None:
                kept.append(_canonical(line))
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
        rests.setdefault(name[0], []).append(re.escape(name[1:]))
    return "|".join(f"[{initial}{initial.upper()}](?i:{'|'.join(each)})" for initial, each in rests.items())


def _canonical(line: bytes) -> bytes:
    name, _, value = line.partition(b":")
    canonical = b"\n%b: %b" % (name.lower(), value.strip(b"\t "))
    if not value.strip(b"\t ") and len(_PREFIXES) < _MAX_NAMES and len(line) <= _MAX_NAME_BYTES:
        _PREFIXES[line] = canonical
    return canonical


def _without_named(lines: bytes, told: Headers) -> bytes:
    """Leave out the headers that `connection` names, too."""
    values = [value.lower() for name, value in told if name == b"connection"]
    named = {name.strip(b"\t ") for value in values if value not in _NAME_NOTHING for name in value.split(b",")}
    if not named:
        return lines
    return b"".join([line for line in lines.splitlines(keepends=True) if line.partition(b":")[0] not in named])
