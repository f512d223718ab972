"""What a message may be made of: pictures, documents, thinking, cache marks."""

from __future__ import annotations

import base64
from typing import Any

from checklist import ask, check
from connect import MODEL, client, request, user

GIF = "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
PIXEL = base64.b64encode(bytes.fromhex(GIF))
PDF = base64.b64encode(b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n")


@check
def image_as_base64() -> Any:
    return _about({"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": PIXEL.decode()}})


@check
def image_by_url() -> Any:
    return _about({"type": "image", "source": {"type": "url", "url": "https://example.com/a%20picture.png?x=1&y=2"}})


@check
def document_as_pdf() -> Any:
    source = {"type": "base64", "media_type": "application/pdf", "data": PDF.decode()}
    return _about({"type": "document", "source": source, "title": "a paper", "citations": {"enabled": True}})


@check
def document_as_text() -> Any:
    return _about({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "some text"}})


@check
def search_result() -> Any:
    content = [{"type": "text", "text": "a finding"}]
    return _about({"type": "search_result", "source": "https://example.com", "title": "found", "content": content})


@check
def a_large_image() -> Any:
    data = base64.b64encode(bytes(range(256)) * 4_000).decode()
    return _about({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}})


@check
def cache_control_and_its_usage() -> Any:
    system = [{"type": "text", "text": "Long text. " * 400, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    message = client().messages.create(**request("hello [usage=in:100,out:50,read:20,write:5]", system=system))
    usage = message.usage
    assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (20, 5)
    return message


@check
def cache_usage_in_a_stream() -> Any:
    asked = request("hello [usage=in:100,out:50,read:20,write:5]")
    asked["messages"][0]["content"] = [
        {"type": "text", "text": asked["messages"][0]["content"], "cache_control": {"type": "ephemeral"}}
    ]
    with client().messages.stream(**asked) as stream:
        message = stream.get_final_message()
    assert message.usage.cache_read_input_tokens == 20
    return message


@check
def automatic_caching() -> Any:
    return client().messages.create(**request("hello"), extra_body={"cache_control": {"type": "ephemeral"}})


@check
def earlier_thinking_is_sent_back() -> Any:
    turns = [
        user("hello"),
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm …", "signature": "c2lnbmF0dXJl+/=="},
                {"type": "redacted_thinking", "data": "b3BhcXVl"},
                {"type": "text", "text": "hello"},
            ],
        },
        user("go on"),
    ]
    thinking = {"type": "enabled", "budget_tokens": 1024}
    return client().messages.create(model=MODEL, max_tokens=2048, messages=turns, thinking=thinking)


def _about(block: dict[str, Any]) -> Any:
    content = [block, {"type": "text", "text": ask("what is this?")}]
    return client().messages.create(model=MODEL, max_tokens=64, messages=[{"role": "user", "content": content}])
