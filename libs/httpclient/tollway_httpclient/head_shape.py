"""
What a head looks like that comes again and again with other values; made and asked by `header_sieve`.

A server writes the same headers in the same order. So an expression of that very head finds what is handed on, where
one for all heads has to look at every name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

Headers = list[tuple[bytes, bytes]]

# of a line that is handed on: neither begins nor ends with a blank
_VALUE = rb"[^\t \n][^\n]*+(?<=[^\t ]\r)\n"
_ANY_VALUE = rb"[^\n]*+\n"
# a longer one takes long to compile
_MAX_EXPRESSION = 4096


@dataclass(frozen=True, slots=True)
class HeadShape:
    """Heads with the same names, written alike and in the same order, that tell the same."""

    find: Callable[[bytes], re.Match[bytes] | None]
    template: bytes
    """What is handed on, once the groups that were found are put in."""
    told: Headers

    @classmethod
    def of(cls, lines: bytes, sifted: bytes, told: Headers, telling: Collection[bytes]) -> HeadShape | None:
        """
        Learn from a head; None where it is very long, or what is handed on of it is written in an unusual way.

        Args:
            lines: As they came.
            sifted: Those that are handed on; a name is handed on wherever it stands in a head, or nowhere.
            told: What they tell.
            telling: The names whose values must be the same again.
        """
        expression, template = expression_of(lines, sifted, telling, _VALUE, _ANY_VALUE)
        if len(expression) > _MAX_EXPRESSION:
            return None
        shape = cls(re.compile(expression).fullmatch, template, told)
        return shape if shape.find(lines) else None


def expression_of(
    lines: bytes, sifted: bytes, telling: Collection[bytes], value: bytes, any_value: bytes, length: bytes = b""
) -> tuple[bytes, bytes]:
    """
    Return an expression of such lines, and a template for the groups that it finds.

    Args:
        lines: As they came.
        sifted: Those that are handed on.
        telling: The names whose values must be the same again.
        value: Expression of a value that is handed on, with its line's end.
        any_value: Of one that stays here, with what is before it.
        length: Of `content-length: 12` behind its name, with a group; nothing where it stays here as others do.
    """
    kept = {line.partition(b":")[0] for line in sifted.split(b"\r\n")}
    expression = template = b""
    for line in lines.split(b"\r\n")[:-1]:
        name = line.partition(b":")[0]
        written, lowered = re.escape(name), name.lower()
        if name in kept and expression.endswith(b")"):  # its group takes this line in, too
            expression = b"%b%b: %b)" % (expression[:-1], written, value)
        elif name in kept:
            expression += b"(%b: %b)" % (written, value)
            template += b"%b"
        elif lowered in kept:
            expression += b"%b: (%b)" % (written, value)
            template += lowered.replace(b"%", b"%%") + b": %b"
        elif lowered in telling:
            expression += re.escape(line) + rb"\r\n"
        elif length and lowered == b"content-length":
            expression += written + length
            template += b"%.0b"  # none of its bytes
        else:
            expression += b"%b:%b" % (written, any_value)
    return expression, template
