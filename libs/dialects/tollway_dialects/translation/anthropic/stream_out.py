"""Writes the events of a Messages stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.sse import format_event
from tollway_dialects.translation.anthropic.fault import fault_body
from tollway_dialects.translation.form.deltas import Cited, Grew, PartEnded, PartStarted, Signed, Stop
from tollway_dialects.translation.form.parts import Refusal, Text, Thought, ToolCall
from tollway_dialects.translation.wire.signatures import carried_signature
from tollway_dialects.translation.wire.tool_ids import valid_tool_id

if TYPE_CHECKING:
    from tollway_dialects.translation.encoder import AnswerContext, Ending
    from tollway_dialects.translation.form.deltas import Opening
    from tollway_dialects.translation.form.faults import Fault
    from tollway_dialects.translation.form.parts import Json
    from tollway_dialects.translation.wire.in_order import PartDelta
    from tollway_dialects.usage import Usage

_US = Dialect.ANTHROPIC_MESSAGES
_STOPS = {
    Stop.END: "end_turn",
    Stop.TOOL_USE: "tool_use",
    Stop.MAX_TOKENS: "max_tokens",
    Stop.CONTEXT: "model_context_window_exceeded",
    Stop.SEQUENCE: "stop_sequence",
    Stop.REFUSAL: "refusal",
    Stop.PAUSE: "pause_turn",
}


class AnthropicEncoder:
    """An `Encoder`; one block is open at a time, and its indexes have no gaps."""

    def __init__(self, context: AnswerContext) -> None:
        self._context = context
        self._index = -1
        self._part: Opening = Text("")
        self._is_signed = False

    def start(self, identifier: str, model: str, usage: Usage) -> bytes:
        identifier = identifier if identifier.startswith("msg_") else f"msg_{identifier}"
        message: Json = {"id": identifier, "type": "message", "role": "assistant", "model": model, "content": []}
        message |= {"stop_reason": None, "stop_sequence": None}
        told = _usage(usage) | {"output_tokens": max(1, usage.output)}
        return _event("message_start", message=message | {"usage": told})

    def part(self, delta: PartDelta) -> bytes:
        match delta:
            case PartStarted():
                return self._open(delta.part)
            case Grew():
                return self._grow(delta.text)
            case Signed():
                return self._sign(delta.signature)
            case Cited():
                return self._delta("citations_delta", citation=delta.citation)
            case PartEnded():
                return self._close()

    def end(self, ending: Ending, usage: Usage) -> bytes:
        delta: Json = {"stop_reason": _STOPS[ending.stop], "stop_sequence": ending.sequence}
        if ending.details is not None:
            delta["stop_details"] = ending.details
        return _event("message_delta", delta=delta, usage=_usage(usage)) + _event("message_stop")

    def fail(self, fault: Fault) -> bytes:
        return format_event(fault_body(fault, self._context.request_id), "error")

    def _open(self, part: Opening) -> bytes:
        self._index += 1
        self._part, self._is_signed = part, False
        block, text = _block(part)
        opened = _event("content_block_start", index=self._index, content_block=block)
        opened += self._grow(text) if text else b""
        if isinstance(part, Thought) and part.signature and not part.is_redacted:
            opened += self._sign(part.signature)
        return opened

    def _grow(self, text: str) -> bytes:
        match self._part:
            case Thought():
                return self._delta("thinking_delta", thinking=text)
            case ToolCall():
                return self._delta("input_json_delta", partial_json=text)
            case _:
                return self._delta("text_delta", text=text)

    def _sign(self, signature: str) -> bytes:
        if not isinstance(self._part, Thought):
            return b""
        self._is_signed = True
        signed = msgspec.structs.replace(self._part, signature=signature)
        return self._delta("signature_delta", signature=carried_signature(signed, _US))

    def _close(self) -> bytes:
        closing = b""
        if isinstance(self._part, Thought) and self._part.origin is not _US and not self._is_signed:
            closing = self._sign("")  # says whose it is, so that it goes back to nobody else
        return closing + _event("content_block_stop", index=self._index)

    def _delta(self, kind: str, **fields: Any) -> bytes:
        return _event("content_block_delta", index=self._index, delta={"type": kind, **fields})


def _block(part: Opening) -> tuple[Json, str]:
    """Return the empty block that opens a part, and the text that it began with."""
    match part:
        case Text(text=text) | Refusal(text=text):
            return {"type": "text", "text": ""}, text
        case Thought(is_redacted=True) if part.origin is _US:
            return {"type": "redacted_thinking", "data": part.signature}, ""
        case Thought():
            return {"type": "thinking", "thinking": "", "signature": ""}, part.text
        case ToolCall():
            return {"type": "tool_use", "id": valid_tool_id(part.id), "name": part.name, "input": {}}, part.arguments


def _usage(usage: Usage) -> Json:
    split = {"ephemeral_5m_input_tokens": usage.cache_write_short, "ephemeral_1h_input_tokens": usage.cache_write_long}
    return {
        "input_tokens": usage.uncached_input,
        "cache_creation_input_tokens": usage.cache_write_short + usage.cache_write_long,
        "cache_creation": split,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
    }


def _event(kind: str, **fields: Any) -> bytes:
    return format_event(msgspec.json.encode({"type": kind, **fields}), kind)
