"""Reads the events of a Responses stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.responses.shapes import ResponseUsage
from tollway_dialects.translation.chat.fault import fault_of
from tollway_dialects.translation.errors import MalformedAnswer
from tollway_dialects.translation.form.deltas import (
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
from tollway_dialects.translation.form.parts import Refusal, Text, Thought, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tollway_dialects.translation.form.parts import Json

_US = Dialect.OPENAI_RESPONSES
_INCOMPLETE = {"max_output_tokens": Stop.MAX_TOKENS, "content_filter": Stop.REFUSAL}
_TEXTS: dict[str, Opening] = {"output_text": Text(""), "refusal": Refusal("")}
_TEXT_DELTAS = ("response.output_text.delta", "response.refusal.delta")
_THOUGHT_DELTAS = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")
_FINAL = ("response.completed", "response.incomplete")


class ResponsesDecoder:
    """A `Decoder`; a part's key is its item, and in a message its place there."""

    def __init__(self) -> None:
        self._said: dict[str, int] = {}
        """Characters that came of each part that is open."""
        self._has_refused = False

    def read(self, event: Json) -> Iterator[Delta]:
        kind = str(event.get("type"))
        if kind == "response.created":
            yield Started(str(event["response"]["id"]), str(event["response"].get("model") or ""))
        elif kind == "response.output_item.added":
            yield from self._open_item(event["output_index"], event["item"])
        elif kind == "response.content_part.added":
            yield from self._open_part(event)
        elif kind in _TEXT_DELTAS:
            yield self._grown(_place(event), event["delta"])
        elif kind in _THOUGHT_DELTAS or kind == "response.function_call_arguments.delta":
            yield self._grown(str(event["output_index"]), event["delta"])
        elif kind == "response.reasoning_summary_part.added" and event.get("summary_index"):
            yield self._grown(str(event["output_index"]), "\n\n")
        elif kind == "response.content_part.done":
            yield from self._close(_place(event))
        elif kind == "response.output_item.done":
            yield from self._close_item(event["output_index"], event["item"])
        else:
            yield from self._end(kind, event)

    def done(self) -> Iterator[Delta]:
        """Other dialects end so; here it means nothing."""
        yield from ()

    def _open_item(self, index: int, item: Json) -> Iterator[Delta]:
        match item["type"]:
            case "function_call":
                yield self._opened(str(index), ToolCall(item["call_id"], item["name"], ""))
            case "reasoning":
                yield self._opened(str(index), Thought("", _US, id=str(item.get("id") or "")))
            case "message":
                pass  # its parts are opened
            case kind:
                yield Lost(kind)

    def _open_part(self, event: Json) -> Iterator[Delta]:
        kind = event["part"]["type"]
        if kind in _TEXTS:
            self._has_refused |= kind == "refusal"
            yield self._opened(_place(event), _TEXTS[kind])

    def _close_item(self, index: int, item: Json) -> Iterator[Delta]:
        key = str(index)
        if key not in self._said:
            return
        if item["type"] == "function_call" and not self._said[key] and item.get("arguments"):
            yield self._grown(key, item["arguments"])  # they came whole
        if item["type"] == "reasoning" and item.get("encrypted_content"):
            yield Signed(key, item["encrypted_content"])
        yield from self._close(key)

    def _end(self, kind: str, event: Json) -> Iterator[Delta]:
        if kind in _FINAL:
            response: dict[str, Any] = event["response"]
            if usage := response.get("usage"):
                yield UsageTold(msgspec.convert(usage, ResponseUsage).normalised(), is_final=True)
            yield Stopped(self._stop(kind, response))
            yield Finished()
        elif kind == "response.failed":
            yield Failed(fault_of(500, event["response"]))
        elif kind == "error":
            yield Failed(fault_of(500, event if "error" in event else {"error": event}))

    def _stop(self, kind: str, response: Json) -> Stop:
        if kind == "response.completed":
            return Stop.REFUSAL if self._has_refused else Stop.END
        reason = (response.get("incomplete_details") or {}).get("reason")
        if reason not in _INCOMPLETE:
            raise MalformedAnswer("it is incomplete for a reason that is not known")
        return _INCOMPLETE[reason]

    def _opened(self, key: str, part: Opening) -> PartStarted:
        self._said[key] = 0
        return PartStarted(key, part)

    def _grown(self, key: str, text: str) -> Grew:
        if key not in self._said:
            raise MalformedAnswer("a part went on that had not begun")
        self._said[key] += len(text)
        return Grew(key, text)

    def _close(self, key: str) -> Iterator[PartEnded]:
        if self._said.pop(key, None) is not None:
            yield PartEnded(key)


def _place(event: Json) -> str:
    return f"{event['output_index']}.{event['content_index']}"
