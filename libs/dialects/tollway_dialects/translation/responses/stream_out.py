"""Writes the events of a Responses stream; the last repeats the whole answer, so what was said is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.responses.replay import usage_fields
from tollway_dialects.sse import MAX_EVENT, format_event
from tollway_dialects.translation.errors import MalformedAnswer
from tollway_dialects.translation.form.deltas import Cited, Grew, PartEnded, PartStarted, Signed, Stop
from tollway_dialects.translation.responses.open_item import OpenItem, open_item
from tollway_dialects.translation.responses.response_object import response_object

if TYPE_CHECKING:
    from tollway_dialects.translation.encoder import AnswerContext, Ending
    from tollway_dialects.translation.form.faults import Fault
    from tollway_dialects.translation.form.parts import Json
    from tollway_dialects.translation.wire.in_order import PartDelta
    from tollway_dialects.usage import Usage

_INCOMPLETE = {Stop.MAX_TOKENS: "max_output_tokens", Stop.CONTEXT: "max_output_tokens", Stop.REFUSAL: "content_filter"}
_COMPLETE = frozenset({Stop.END, Stop.TOOL_USE, Stop.SEQUENCE})


class ResponsesEncoder:
    """An `Encoder`; each part is an item of its own."""

    def __init__(self, context: AnswerContext) -> None:
        self._context = context
        self._response: Json = {}
        self._output: list[Json] = []
        self._open: OpenItem | None = None
        self._has_refused = False
        self._number = -1
        self._size = 0

    def start(self, identifier: str, model: str, usage: Usage) -> bytes:
        identifier = identifier if identifier.startswith("resp_") else f"resp_{identifier}"
        self._response = response_object(self._context, identifier, model)
        return self._event("response.created", response=self._response) + self._event(
            "response.in_progress", response=self._response
        )

    def part(self, delta: PartDelta) -> bytes:
        match delta:
            case PartStarted():
                self._open = open_item(delta.part, self._response["id"], len(self._output))
                self._has_refused |= self._open.is_refusal
                return self._events(self._open.begin())
            case _ if self._open is None:
                return b""
            case Grew():
                self._size += len(delta.text)
                if self._size > MAX_EVENT:
                    raise MalformedAnswer("the answer is longer than its final event may be")
                return self._events(self._open.grow(delta.text))
            case Signed():
                self._open.sign(delta.signature)
            case PartEnded():
                events = self._events(self._open.end())
                self._output.append(self._open.item)
                self._open = None
                return events
            case Cited():
                pass  # another vendor's citations point at nothing here
        return b""

    def end(self, ending: Ending, usage: Usage) -> bytes:
        final: Json = {"output": self._output, "usage": usage_fields(usage), "status": "completed"}
        is_said = self._has_refused and ending.stop is Stop.REFUSAL  # the refusal itself says so
        if ending.stop in _INCOMPLETE and not is_said:
            final |= {"status": "incomplete", "incomplete_details": {"reason": _INCOMPLETE[ending.stop]}}
        elif ending.stop not in _COMPLETE and not is_said:
            raise MalformedAnswer("it stopped for a reason that Responses has no word for")
        return self._event(f"response.{final['status']}", response=self._response | final)

    def fail(self, fault: Fault) -> bytes:
        code = fault.kind.openai_code or fault.kind.openai_type
        return self._event("error", code=code, message=fault.message, param=fault.param)

    def _events(self, events: list[Json]) -> bytes:
        return b"".join([self._event(event.pop("type"), **event) for event in events])

    def _event(self, kind: str, **fields: Any) -> bytes:
        self._number += 1
        return format_event(msgspec.json.encode({"type": kind, "sequence_number": self._number, **fields}), kind)
