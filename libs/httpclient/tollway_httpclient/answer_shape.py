"""
Whole answers that come again and again with other values, found without httptools; asked by `response_parser`.

    HTTP/1.1 200 OK ␍␊ date: … ␍␊ content-length: 12 ␍␊ … ␍␊ ␍␊ twelve bytes

A server writes the same status line and the same headers in the same order. Where httptools has found a head in order
it is so with other values, too, as long as these hold no control characters and the length is a number. An answer that
is all there, and nothing behind it, is taken so; every other one is for httptools.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tollway_httpclient.head_shape import expression_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tollway_httpclient.head_shape import Headers

# no control character but the tab; what is handed on neither begins nor ends with a blank
_ANY_VALUE = rb"[\t -~\x80-\xff]*+\r\n"
_VALUE = rb"[!-~\x80-\xff][\t -~\x80-\xff]*+(?<![\t ])\r\n"
_LENGTH = rb": (?P<length>[0-9]{1,9})\r\n"
# a longer one takes long to compile
_MAX_EXPRESSION = 4096

_MAX_SHAPES = 4
# of the answers that have no known shape one in so many is learned, which costs half a millisecond
_LEARNED_EVERY = 256


@dataclass(frozen=True, slots=True)
class AnswerShape:
    """Answers with the same status and the same header names, written alike and in the same order."""

    match: Callable[[bytes | memoryview], re.Match[bytes] | None]
    """Finds all header lines, what is handed on of them and the length, and the body."""
    template: bytes
    """What of the headers is handed on, once all that was found is put in."""
    length: int
    """Where the length is in what was found."""
    status: int
    told: Headers
    """What the head tells of connection and coding."""
    kept_seconds: float


class AnswerShapes:
    """The latest that were learned; `telling` are the names whose values must be the same again."""

    def __init__(self, telling: Collection[bytes]) -> None:
        self._telling = telling
        self._shapes: deque[AnswerShape] = deque(maxlen=_MAX_SHAPES)
        self._unknown = 0

    def find(self, data: bytes | memoryview) -> tuple[AnswerShape, tuple[bytes, ...]] | None:
        """Return the shape of one whole answer, with nothing behind it, and what it found; None where there is none."""
        for shape in self._shapes:
            if match := shape.match(data):
                found = match.groups()
                return (shape, found) if len(found[-1]) == int(found[shape.length]) else None
        return None

    def learn(
        self, status: int, status_line: bytes, lines: bytes, sifted: bytes, told: Headers, kept_seconds: float
    ) -> None:
        """Learn now and then from an answer in order that was framed by its length and leaves its connection open."""
        self._unknown += 1
        if self._unknown % _LEARNED_EVERY != 1:
            return
        head = b"%b%b\r\n" % (status_line, lines)
        expression, template = expression_of(lines, sifted, self._telling, _VALUE, _ANY_VALUE, _LENGTH)
        if len(expression) > _MAX_EXPRESSION or expression.count(_LENGTH) != 1:
            return
        shape = re.compile(b"%b(%b)\r\n(.*)" % (re.escape(status_line), expression), re.DOTALL)
        if shape.match(head) and not any(each.match(head) for each in self._shapes):
            # of all lines and of the body, which are found first and last, nothing is put in
            template, length = b"%%.0b%b%%.0b" % template, shape.groupindex["length"] - 1
            self._shapes.append(AnswerShape(shape.match, template, length, status, told, kept_seconds))
