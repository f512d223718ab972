"""Writes the chunks of a chat completions stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.openai.replay import usage_fields
from tollway_dialects.sse import format_event
from tollway_dialects.translation.chat.fault import fault_body
from tollway_dialects.translation.errors import MalformedAnswer
from tollway_dialects.translation.form.deltas import Grew, PartStarted, Stop
from tollway_dialects.translation.form.parts import Refusal, Text, Thought, ToolCall
from tollway_dialects.translation.wire.tool_ids import valid_tool_id

if TYPE_CHECKING:
    from tollway_dialects.translation.encoder import AnswerContext, Ending
    from tollway_dialects.translation.form.deltas import Opening
    from tollway_dialects.translation.form.faults import Fault
    from tollway_dialects.translation.form.parts import Json
    from tollway_dialects.translation.wire.in_order import PartDelta
    from tollway_dialects.usage import Usage

_FINISHES = {
    Stop.END: "stop",
    Stop.TOOL_USE: "tool_calls",
    Stop.MAX_TOKENS: "length",
    Stop.CONTEXT: "length",
    Stop.SEQUENCE: "stop",
    Stop.REFUSAL: "content_filter",
}


class ChatEncoder:
    """An `Encoder`; thinking goes into `reasoning_content`, where clients that show it look for it."""

    def __init__(self, context: AnswerContext) -> None:
        self._context = context
        self._common: Json = {}
        self._part: Opening = Text("")
        self._call = -1

    def start(self, identifier: str, model: str, usage: Usage) -> bytes:
        identifier = identifier if identifier.startswith("chatcmpl-") else f"chatcmpl-{identifier}"
        self._common = {"id": identifier, "object": "chat.completion.chunk", "created": self._context.created}
        self._common["model"] = model
        return self._chunk({"role": "assistant", "content": None})

    def part(self, delta: PartDelta) -> bytes:
        match delta:
            case PartStarted(part=ToolCall() as call):
                self._part = call
                self._call += 1
                function = {"name": call.name, "arguments": call.arguments}
                opened = {"index": self._call, "id": valid_tool_id(call.id), "type": "function", "function": function}
                return self._chunk({"tool_calls": [opened]})
            case PartStarted(part=Text(text=text) | Refusal(text=text) | Thought(text=text)):
                self._part = delta.part
                return self._grow(text) if text else b""
            case Grew():
                return self._grow(delta.text)
            case _:
                return b""  # a signature or a citation, for which chat has no place

    def end(self, ending: Ending, usage: Usage) -> bytes:
        if ending.stop not in _FINISHES:
            raise MalformedAnswer("it stopped for a reason that chat has no word for")
        last = self._chunk({}, _FINISHES[ending.stop])
        if self._context.streams_usage:
            last += _event(self._common | {"choices": [], "usage": usage_fields(usage)})
        return last + format_event(b"[DONE]")

    def fail(self, fault: Fault) -> bytes:
        return format_event(fault_body(fault))

    def _grow(self, text: str) -> bytes:
        match self._part:
            case ToolCall():
                return self._chunk({"tool_calls": [{"index": self._call, "function": {"arguments": text}}]})
            case Thought():
                return self._chunk({"reasoning_content": text})
            case Refusal():
                return self._chunk({"refusal": text})
            case _:
                return self._chunk({"content": text})

    def _chunk(self, delta: Json, finish: str | None = None) -> bytes:
        choice: dict[str, Any] = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        told = {"usage": None} if self._context.streams_usage else {}
        return _event(self._common | {"choices": [choice]} | told)


def _event(chunk: Json) -> bytes:
    return format_event(msgspec.json.encode(chunk))
