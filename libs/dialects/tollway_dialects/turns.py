"""The turns of a prompt as raw values, under whichever name a dialect has them; used by `prompt` and `conversation`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_dialects.dialect import LIKE_RESPONSES
from tollway_dialects.request import MalformedRequest

if TYPE_CHECKING:
    from tollway_dialects.dialect import Dialect
    from tollway_dialects.request import RequestBody

_RAWS = msgspec.json.Decoder(list[msgspec.Raw])


def raw_turns(body: RequestBody, dialect: Dialect) -> list[msgspec.Raw]:
    """Return messages, or items of `input`, where a text alone is what the user says; raises `MalformedRequest`."""
    is_response = dialect in LIKE_RESPONSES
    field = "input" if is_response else "messages"
    raw = body.fields.get(field)
    if is_response:
        if raw is None or not body.names(field):
            return []  # what was said before may be kept by the provider
        if bytes(memoryview(raw)[:1]) == b'"':
            return [msgspec.Raw(b'{"role":"user","content":%s}' % bytes(raw))]
    elif raw is None:
        raise MalformedRequest("messages: Field required")
    try:
        return _RAWS.decode(raw)
    except (ValueError, RecursionError):
        raise MalformedRequest(f"{field}: must be a list") from None
