"""`data:` URLs, in which OpenAI's dialects carry the bytes of pictures and documents."""

from __future__ import annotations

import base64
import binascii
import re

from tollway_dialects.translation.form.parts import Media

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.-]+)*;base64,", re.ASCII)


def media_of(url: str) -> Media:
    """Return what a URL names: the bytes that it holds, or a place."""
    found = _DATA_URL.match(url)
    if not found:
        return Media("url", url)
    return Media("data", url[found.end() :], found[1] or "application/octet-stream")


def url_of(media: Media) -> str:
    """Return bytes as a `data:` URL, and a place as it is."""
    return f"data:{media.mime};base64,{media.value}" if media.kind == "data" else media.value


def text_in(media: Media) -> str | None:
    """Return the text of a document that is one; None where it is another kind, or no text."""
    if media.kind == "text":
        return media.value
    if media.kind != "data" or not media.mime.startswith("text/"):
        return None
    try:
        return base64.b64decode(media.value, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
