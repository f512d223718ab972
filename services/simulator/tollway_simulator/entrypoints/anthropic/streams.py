"""An answer as the events of Anthropic's stream; used by `dialect`."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.entrypoints.anthropic.answers import (
    block_object,
    empty_message,
    stop_object,
    tool_start,
    usage_object,
)
from tollway_simulator.entrypoints.bodies import MAX_KEPT_PIECES, pieces_as_json
from tollway_simulator.entrypoints.dialect import Stream

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer, Block
    from tollway_simulator.domain.prompt import Prompt

PING = b'event: ping\ndata: {"type":"ping"}\n\n'
MESSAGE_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

_START = b'event: content_block_start\ndata: {"type":"content_block_start","index":%d,"content_block":%b}\n\n'
_DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":'
_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
_DELTAS = {
    "text": _DELTA + b'{"type":"text_delta","text":%%b}}\n\n',
    "thinking": _DELTA + b'{"type":"thinking_delta","thinking":%%b}}\n\n',
    "tool": _DELTA + b'{"type":"input_json_delta","partial_json":%%b}}\n\n',
}
_SIGNATURE = _DELTA + b'{"type":"signature_delta","signature":%%b}}\n\n'
_EMPTY_TEXT = b'{"type":"text","text":""}'
_EMPTY_THINKING = b'{"type":"thinking","thinking":"","signature":""}'


def render_stream(prompt: Prompt, answer: Answer, request_id: str) -> Stream:
    message = empty_message(prompt, request_id)
    message["usage"] = usage_object(answer.usage, 1)
    head = event(b"message_start", {"type": "message_start", "message": message})
    deltas: list[bytes] = []
    between = b""
    blocks = [block for block in answer.blocks if block.pieces or block.kind != "text"]
    for index, block in enumerate(blocks):
        start = _start(prompt, block, index, request_id)
        between += start if index else start + PING
        if block.pieces:
            first = len(deltas)
            deltas += deltas_of(block.kind, index, block.pieces)
            if first:
                deltas[first] = between + deltas[first]
            else:
                head += between
            between = b""
        between += _end(prompt, block, index, request_id)
    last = {
        "type": "message_delta",
        "delta": stop_object(answer),
        "usage": usage_object(answer.usage, answer.usage.output),
    }
    return Stream(head, deltas, between + event(b"message_delta", last) + MESSAGE_STOP)


def deltas_of(kind: str, index: int, pieces: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return one event for each piece; those of usual length are kept, as the pieces themselves are."""
    return _kept_deltas(kind, index, pieces) if len(pieces) <= MAX_KEPT_PIECES else _deltas(kind, index, pieces)


def _deltas(kind: str, index: int, pieces: tuple[str, ...]) -> tuple[bytes, ...]:
    template = _DELTAS[kind] % index
    return tuple([template % piece for piece in pieces_as_json(pieces)])


_kept_deltas = lru_cache(maxsize=256)(_deltas)


def event(name: bytes, data: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name, msgspec.json.encode(data))


def _start(prompt: Prompt, block: Block, index: int, request_id: str) -> bytes:
    match block.kind:
        case "text":
            return _START % (index, _EMPTY_TEXT)
        case "thinking":
            return _START % (index, _EMPTY_THINKING)
        case "redacted":
            return _START % (index, msgspec.json.encode(block_object(prompt, block, index, request_id)))
        case "tool":
            start = _START % (index, msgspec.json.encode(tool_start(block, index, request_id)))
            return start + _DELTAS["tool"] % index % b'""'


def _end(prompt: Prompt, block: Block, index: int, request_id: str) -> bytes:
    if block.kind != "thinking":
        return _STOP % index
    signature = block_object(prompt, block, index, request_id)["signature"]
    return _SIGNATURE % index % msgspec.json.encode(signature) + _STOP % index
