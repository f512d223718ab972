"""A whole Anthropic answer as an event stream and back; used when the cache answers in the other form."""

from __future__ import annotations

from typing import Any

import msgspec

from tollway_dialects.sse import EventSplitter, event_data, format_event

Json = dict[str, Any]

# what a message tells at its end, in the final delta
_AT_END = ("stop_reason", "stop_sequence", "stop_details", "container")
# fields of the final delta's event that are no field of the message
_OF_EVENT = frozenset({"type", "delta", "usage"})
# kind of a delta -> the field of the block that it lengthens
_GROWS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}


def to_events(body: bytes) -> bytes:
    """Return the stream that says the same as a JSON answer, one delta a block."""
    message: Json = msgspec.json.decode(body)
    blocks = message["content"]
    usage = message.get("usage") or {}
    end = {name: message[name] for name in _AT_END if name in message}
    edits = {"context_management": message["context_management"]} if "context_management" in message else {}
    opening = message | dict.fromkeys([*end, *edits]) | {"content": [], "usage": usage | {"output_tokens": 1}}
    events = [_event("message_start", message=opening)]
    for index, block in enumerate(blocks):
        events += _block_events(index, block)
    events += [_event("message_delta", delta=end, usage=usage, **edits), _event("message_stop")]
    return b"".join(events)


def from_events(events: bytes) -> bytes:
    """Return the JSON answer that a complete stream adds up to."""
    message: Json = {}
    for event in EventSplitter().feed(events):
        if data := event_data(event):
            _apply(message, seen := msgspec.json.decode(data), seen["type"])
    for block in message["content"]:
        pieces = block.pop("_json", None)
        if pieces:
            block["input"] = msgspec.json.decode(pieces)
    return msgspec.json.encode(message)


def _apply(message: Json, seen: Json, kind: str) -> None:
    if kind == "message_start":
        message.update(seen["message"])
    elif kind == "content_block_start":
        message["content"].append(seen["content_block"])
    elif kind == "content_block_delta":
        _grow(message["content"][seen["index"]], seen["delta"])
    elif kind == "message_delta":
        message.update(seen["delta"])
        message["usage"] = message.get("usage", {}) | (seen.get("usage") or {})
        message.update({name: seen[name] for name in seen if name not in _OF_EVENT})


def _grow(block: Json, delta: Json) -> None:
    kind = delta["type"]
    if kind in _GROWS:
        name = _GROWS[kind]
        block[name] = block.get(name, "") + delta[name]
    elif kind == "input_json_delta":
        block["_json"] = block.get("_json", "") + delta["partial_json"]
    elif kind == "citations_delta":
        block["citations"] = [*(block.get("citations") or []), delta["citation"]]
    else:
        raise ValueError(f"unknown delta {kind!r}")


def _block_events(index: int, block: Json) -> list[bytes]:
    start, deltas = _opened(block)
    return [
        _event("content_block_start", index=index, content_block=start),
        *(_event("content_block_delta", index=index, delta=delta) for delta in deltas),
        _event("content_block_stop", index=index),
    ]


def _opened(block: Json) -> tuple[Json, list[Json]]:
    """Split a block into the empty one that opens it and the deltas that fill it."""
    kind = block["type"]
    if kind == "text":
        cited = [{"type": "citations_delta", "citation": citation} for citation in block.get("citations") or []]
        start = block | {"text": ""} | ({"citations": []} if cited else {})
        return start, [{"type": "text_delta", "text": block["text"]}, *cited]
    if kind == "thinking":
        signed = [{"type": "signature_delta", "signature": block["signature"]}] if block.get("signature") else []
        thought = {"type": "thinking_delta", "thinking": block["thinking"]}
        return block | {"thinking": "", "signature": ""}, [thought, *signed]
    if kind.endswith("tool_use"):  # the client's tools, the server's, those of MCP
        arguments = msgspec.json.encode(block["input"]).decode()
        return block | {"input": {}}, [{"type": "input_json_delta", "partial_json": arguments}]
    return block, []  # redacted thinking and results of server tools come whole


def _event(kind: str, **fields: Any) -> bytes:
    return format_event(msgspec.json.encode({"type": kind, **fields}), kind)
