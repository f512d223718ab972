"""What turns and answers consist of; each dialect's readers make these parts and its writers take them."""

from __future__ import annotations

from typing import Any

import msgspec

from tollway_dialects.dialect import Dialect

Json = dict[str, Any]


class Text(msgspec.Struct, frozen=True):
    """Something said."""

    text: str
    cache: Json | None = None
    """Anthropic's cache mark, as it came."""
    citations: tuple[Json, ...] = ()


class Refusal(msgspec.Struct, frozen=True):
    """What the model said instead of an answer."""

    text: str


class Media(msgspec.Struct, frozen=True):
    """Where the bytes of a picture or document are."""

    kind: str
    """`data` (base64), `url`, `text`, or `file`: kept by a provider under an id."""
    value: str
    mime: str = ""
    keeper: Dialect | None = None
    """Whose account keeps the file."""


class Image(msgspec.Struct, frozen=True):
    """A picture."""

    media: Media
    detail: str | None = None
    cache: Json | None = None


class Document(msgspec.Struct, frozen=True):
    """A PDF or a text beside the prompt; `parts` where it consists of texts and pictures."""

    media: Media | None
    parts: tuple[Text | Image, ...] = ()
    name: str | None = None
    context: str | None = None
    is_cited: bool = False
    cache: Json | None = None


class SearchResult(msgspec.Struct, frozen=True):
    """What a search of the client's found, to be cited."""

    title: str
    source: str
    texts: tuple[str, ...]
    is_cited: bool = False
    cache: Json | None = None


class Thought(msgspec.Struct, frozen=True):
    """
    Thinking, or a signature of it alone.

    The signature means something to the dialect in `origin` only; one without text belongs to the part that follows.
    """

    text: str
    origin: Dialect
    signature: str = ""
    id: str = ""
    is_redacted: bool = False


class ToolCall(msgspec.Struct, frozen=True):
    """A call of a tool of the client's."""

    id: str
    name: str
    arguments: str
    """A JSON object, as text."""
    cache: Json | None = None


class ToolResult(msgspec.Struct, frozen=True):
    """What a tool gave back."""

    id: str
    parts: tuple[Part, ...]
    is_error: bool = False
    cache: Json | None = None


class Foreign(msgspec.Struct, frozen=True):
    """A part that its own dialect alone knows, as it came: what a provider's own tool did."""

    kind: str
    origin: Dialect
    raw: Json


Part = Text | Refusal | Image | Document | SearchResult | Thought | ToolCall | ToolResult | Foreign
