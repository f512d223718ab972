"""Anthropic's events and HTTP's bytes as a test's provider says them, and what of them a client was told."""

from __future__ import annotations

import json
from typing import Any

from tollway_dialects.dialect import Dialect
from tollway_provider_dispatch.domain.call import ChatCall, Piece

STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
BODY = b'{"usage":{"input_tokens":1,"output_tokens":2}}'
GOOD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)
PATHS = {"anthropic": "/v1/messages", "deepseek": "/anthropic/v1/messages", "huggingface": "/messages"}


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, separators=(',', ':'))}\n\n".encode()


def text(piece: str) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})


def start(number: int) -> bytes:
    return event("message_start", message={"id": f"msg_{number}", "usage": {"input_tokens": number}})


BLOCK = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
TOOL = event("content_block_start", index=1, content_block={"type": "tool_use", "id": "t", "name": "n", "input": {}})
ARGUMENTS = event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": '{"a":'})
STOP = event("content_block_stop", index=0)
FINAL = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 9}) + event("message_stop")
ERROR = event("error", error={"type": "overloaded_error", "message": "x"})


def chunk(*events: bytes) -> bytes:
    data = b"".join(events)
    return b"%x\r\n%s\r\n" % (len(data), data)


def whole(number: int, *pieces: str) -> bytes:
    return STREAM + chunk(start(number), BLOCK, *map(text, pieces), STOP, FINAL) + END


def refusal(status: int, body: bytes = b"{}") -> bytes:
    return b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)


def call(model: str = "m", **more: Any) -> ChatCall:
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}]}).encode()
    fixed = {"header_lines": b"", "query": "", "conversation": b"c", "strip_usage_event": False}
    return ChatCall("c1", Dialect.ANTHROPIC_MESSAGES, [model], body, model, **fixed, **more)


def asked(server: Any) -> list[str]:
    paths = {path: name for name, path in PATHS.items()}
    return [paths[request.line.split()[1]] for request in server.requests]


async def pieces_of(dispatcher: Any, it: ChatCall | None = None) -> list[Piece]:
    return [piece async for piece in dispatcher.stream(it or call())]


def joined(pieces: list[Piece]) -> bytes:
    return b"".join(piece.data for piece in pieces)


def said(pieces: list[Piece]) -> str:
    lines = [json.loads(line[6:]) for line in joined(pieces).splitlines() if line.startswith(b"data: {")]
    return "".join(line["delta"].get("text", "") for line in lines if line["type"] == "content_block_delta")
