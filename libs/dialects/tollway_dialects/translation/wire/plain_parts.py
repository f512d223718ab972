"""What a user says in texts, images and files alone, for dialects that know nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.translation.form.parts import Document, Foreign, Image, SearchResult, Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tollway_dialects.translation.form.parts import Part


def plain_parts(parts: Iterable[Part]) -> list[Part]:
    """Return search results and documents of text as texts, with their titles; what is foreign is left out."""
    plain: list[Part] = []
    for part in parts:
        match part:
            case SearchResult():
                plain.append(Text("\n".join((part.title, part.source, *part.texts))))
            case Document(media=None):
                plain += [*_title(part), *part.parts]
            case Document(media=media) if media and media.kind == "text":
                plain.append(Text("\n\n".join([*(text.text for text in _title(part)), media.value])))
            case Foreign():
                pass
            case Text() | Image() | _:
                plain.append(part)
    return plain


def _title(part: Document) -> list[Text]:
    return [Text(part.name)] if part.name else []
