"""Reads the events of a Messages stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.anthropic.shapes import AnthropicUsage, merge_usage
from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.anthropic.fault import fault_of
from tollway_dialects.translation.errors import MalformedAnswer
from tollway_dialects.translation.form.deltas import (
    Cited,
    Delta,
    Failed,
    Finished,
    Grew,
    Lost,
    Opening,
    PartEnded,
    PartStarted,
    Signed,
    Started,
    Stop,
    Stopped,
    UsageTold,
)
from tollway_dialects.translation.form.parts import Text, Thought, ToolCall
from tollway_dialects.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tollway_dialects.translation.form.parts import Json

_US = Dialect.ANTHROPIC_MESSAGES
_STOPS = {
    "end_turn": Stop.END,
    "tool_use": Stop.TOOL_USE,
    "max_tokens": Stop.MAX_TOKENS,
    "model_context_window_exceeded": Stop.CONTEXT,
    "stop_sequence": Stop.SEQUENCE,
    "refusal": Stop.REFUSAL,
    "pause_turn": Stop.PAUSE,
}
# kind of a delta -> the field of it that lengthens its block
_GROWS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


class AnthropicDecoder:
    """A `Decoder`."""

    def __init__(self) -> None:
        self._usage = Usage()
        self._passed: set[int] = set()
        self._inputs: dict[int, Json] = {}

    def read(self, event: Json) -> Iterator[Delta]:
        kind = event.get("type")
        if kind == "content_block_delta":
            yield from self._grow(event["index"], event["delta"])
        elif kind == "content_block_start":
            yield from self._open(event["index"], event["content_block"])
        elif kind == "content_block_stop":
            yield from self._close(event["index"])
        elif kind == "message_start":
            yield Started(event["message"]["id"], event["message"]["model"])
            yield self._told(event["message"].get("usage"), is_final=False)
        elif kind == "message_delta":
            yield from self._stop(event)
        elif kind == "message_stop":
            yield Finished()
        elif kind == "error":
            yield Failed(fault_of(500, event))

    def done(self) -> Iterator[Delta]:
        """Other dialects end so; here it means nothing."""
        yield from ()

    def _told(self, usage: Any, *, is_final: bool) -> UsageTold:
        self._usage = merge_usage(self._usage, msgspec.convert(usage or {}, AnthropicUsage))
        return UsageTold(self._usage, is_final)

    def _open(self, index: int, block: Json) -> Iterator[Delta]:
        part = _opening(block)
        if part is None:
            self._passed.add(index)
            yield Lost(block["type"])
            return
        if isinstance(part, ToolCall) and block.get("input"):
            self._inputs[index] = block["input"]
        yield PartStarted(str(index), part)

    def _grow(self, index: int, delta: Json) -> Iterator[Delta]:
        if index in self._passed:
            return
        kind, key = delta["type"], str(index)
        if kind in _GROWS:
            text = delta[_GROWS[kind]]
            if kind == "input_json_delta" and text:
                self._inputs.pop(index, None)
            yield Grew(key, text)
        elif kind == "signature_delta":
            yield Signed(key, delta["signature"])
        elif kind == "citations_delta":
            yield Cited(key, delta["citation"])

    def _close(self, index: int) -> Iterator[Delta]:
        if index in self._passed:
            return
        if index in self._inputs:  # an input that came whole, at the start
            yield Grew(str(index), msgspec.json.encode(self._inputs.pop(index)).decode())
        yield PartEnded(str(index))

    def _stop(self, event: Json) -> Iterator[Delta]:
        if event.get("usage"):
            yield self._told(event["usage"], is_final=event["usage"].get("output_tokens") is not None)
        delta = event.get("delta") or {}
        if reason := delta.get("stop_reason"):
            if reason not in _STOPS:
                raise MalformedAnswer("it stopped for a reason that is not known")
            yield Stopped(_STOPS[reason], delta.get("stop_sequence"), delta.get("stop_details"))


def _opening(block: Json) -> Opening | None:
    match block["type"]:
        case "text":
            return Text(block.get("text") or "")
        case "thinking":
            return Thought(block.get("thinking") or "", _US, block.get("signature") or "")
        case "redacted_thinking":
            return Thought("", _US, block["data"], is_redacted=True)
        case "tool_use":
            return ToolCall(block["id"], block["name"], "")
        case _:
            return None
