"""
Events that bring nothing but text, most of every stream, known without a look into their JSON; used by `stream`.

Text with a quote, an escape or anything beyond ASCII in it is JSON's to read, as is whatever is written otherwise.
"""

from __future__ import annotations

import re

from tollway_dialects.estimate import tokens_of_piece

_BEFORE_TEXT = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%b,"delta":{"type":"text_delta","text":"'
)
_TEXT = rb'([ !#-\[\]-~]+)"} *}\n\n'

# text is in the first blocks as a rule, and each beginning is one more compare
BEGINNINGS = tuple(_BEFORE_TEXT % b"%d" % index for index in range(3))
TEXT_AT = len(BEGINNINGS[0])
find_text = re.compile(_TEXT).fullmatch
"""Finds the text of one event from `TEXT_AT` on, where it has one of the `BEGINNINGS`: that is cheap to compare."""

MANY_BYTES = 512
"""Of several events; in fewer bytes it costs more to look for text than it spares."""
_ANYWHERE = re.compile(_BEFORE_TEXT.replace(b"{", rb"\{") % b"[0-9]" + _TEXT)


def take_out(events: bytes) -> tuple[bytes, int]:
    """Return what else there is and the tokens of the text; all as it was, and 0, where an event is not all text."""
    parts = _ANYWHERE.split(events)
    others, texts = parts[::2], parts[1::2]
    if any(each[-2:] != b"\n\n" for each in filter(None, others)):
        return events, 0
    return b"".join(others), sum(map(tokens_of_piece, map(len, texts)))
