"""Bodies of 20 MB, as pictures and documents make them, arrive whole."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from gateway import Gateway

SIZE = 20_000_000
BYTES = base64.b64encode(random.Random(20).randbytes(SIZE * 3 // 4)).decode()
PNG = "iVBORw0KGgo"  # how a picture begins, so that whoever looks finds one
PDF = base64.b64encode(b"%PDF-1.7\n%%").decode()[:-2]


def claude_parts(kind: str) -> list[dict[str, Any]]:
    data, media = (PNG + BYTES, "image/png") if kind == "image" else (PDF + BYTES, "application/pdf")
    data = data[: len(data) // 4 * 4]
    return [
        {"type": kind, "source": {"type": "base64", "media_type": media, "data": data}},
        {"type": "text", "text": "What is this?"},
    ]


def gpt_parts(kind: str) -> list[dict[str, Any]]:
    data = (PNG if kind == "image" else PDF) + BYTES
    data = data[: len(data) // 4 * 4]
    part: dict[str, Any] = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    if kind == "document":
        file = {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{data}"}
        part = {"type": "file", "file": file}
    return [part, {"type": "text", "text": "What is this?"}]


@pytest.mark.parametrize("kind", ["image", "document"])
@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
def test_a_body_of_20_mb_reaches_the_provider_byte_for_byte(
    gateway: Gateway, dialect: str, kind: str, is_stream: bool
) -> None:
    parts = claude_parts(kind) if dialect == "anthropic" else gpt_parts(kind)
    body: dict[str, Any] = {"model": "claude-sonnet-5-5" if dialect == "anthropic" else "gpt-6-luna"}
    body |= {"max_tokens": 64} if dialect == "anthropic" else {"max_completion_tokens": 64}
    parts[-1]["text"] = f"What is this? {is_stream}"  # another question, so that no earlier answer is given
    body |= {"stream": is_stream, "messages": [{"role": "user", "content": parts}]}
    if is_stream and dialect == "openai":
        body["stream_options"] = {"include_usage": True}
    raw = json.dumps(body).encode()
    assert len(raw) > SIZE
    path = "/v1/messages" if dialect == "anthropic" else "/v1/chat/completions"
    headers = {"x-api-key": gateway.key, "content-type": "application/json"}
    headers |= {"anthropic-version": "2023-06-01"} if dialect == "anthropic" else {}
    since = gateway.log_end()
    answer = httpx2.post(f"{gateway.url}{path}", content=raw, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text[:500]
    assert gateway.await_served(since, finished=1)["body_sha256"] == hashlib.sha256(raw).hexdigest()
    assert gateway.call(answer.headers["x-gateway-query-id"])["status"] == "succeeded"
