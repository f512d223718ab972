"""Reads the content of a chat message: a text, or a list of parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.form.parts import Document, Image, Media, Refusal, Text
from tollway_dialects.translation.form.request import Role
from tollway_dialects.translation.wire.data_urls import media_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tollway_dialects.translation.form.parts import Part
    from tollway_dialects.translation.wire.node import Node


def read_content(message: Node, role: Role) -> Iterator[Part]:
    if isinstance(message.peek("content"), str):
        yield Text(message.need("content", str))
        return
    for node in message.nodes("content"):
        kind = node.need("type", str)
        if kind == "text":
            yield Text(node.need("text", str))
        elif kind == "refusal" and role is Role.ASSISTANT:
            yield Refusal(node.need("refusal", str))
        elif kind == "image_url" and role is Role.USER:
            yield _image(node)
        elif kind == "file" and role is Role.USER:
            yield _document(node)
        else:
            raise node.unknown(kind)
        node.close()


def _image(node: Node) -> Image:
    image = node.node("image_url")
    if image is None:
        raise node.refusal("image_url", "Field required")
    read = Image(media_of(image.need("url", str)), image.get("detail", str))
    image.close()
    return read


def _document(node: Node) -> Document:
    file = node.node("file")
    if file is None:
        raise node.refusal("file", "Field required")
    if kept := file.get("file_id", str):
        media = Media("file", kept, keeper=Dialect.OPENAI_CHAT)
    else:
        media = media_of(file.need("file_data", str))
        if media.kind != "data":
            raise file.refusal("file_data", "must be a data: URL in base64")
    read = Document(media, name=file.get("filename", str))
    file.close()
    return read
