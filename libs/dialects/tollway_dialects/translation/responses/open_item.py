"""The output item that is being written: its events, and itself as it is when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.form.parts import Refusal, Text, Thought, ToolCall
from tollway_dialects.translation.wire.signatures import carried_signature
from tollway_dialects.translation.wire.tool_ids import valid_tool_id

if TYPE_CHECKING:
    from tollway_dialects.translation.form.deltas import Opening
    from tollway_dialects.translation.form.parts import Json


class OpenItem(Protocol):
    """One kind of item."""

    item: Json
    is_refusal: bool = False

    def begin(self) -> list[Json]:
        """Return the events that open it."""

    def grow(self, text: str) -> list[Json]:
        """Return the event of one more piece."""

    def sign(self, signature: str) -> None:
        """Keep a signature, which its end tells."""

    def end(self) -> list[Json]:
        """Return the events that close it, and complete `item`."""


def open_item(part: Opening, response: str, index: int) -> OpenItem:
    """Return the item of a part; its id is made of the response's."""
    identifier = f"{response.removeprefix('resp_')}_{index}"
    match part:
        case ToolCall():
            return _Call(part, f"fc_{identifier}", index)
        case Thought():
            return _Reasoning(part, f"rs_{identifier}", index)
        case _:
            return _Message(part, f"msg_{identifier}", index)


def _added(index: int, item: Json) -> Json:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def _done(index: int, item: Json) -> Json:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


class _Message(OpenItem):
    def __init__(self, part: Text | Refusal, identifier: str, index: int) -> None:
        self.is_refusal = isinstance(part, Refusal)
        self._field = "refusal" if self.is_refusal else "text"
        self._name = "response.refusal" if self.is_refusal else "response.output_text"
        self._index, self._first = index, part.text
        self._at: Json = {"item_id": identifier, "output_index": index, "content_index": 0}
        self._pieces: list[str] = []
        self.item = {"id": identifier, "type": "message", "status": "in_progress", "role": "assistant", "content": []}

    def begin(self) -> list[Json]:
        opened = {"type": "response.content_part.added", **self._at, "part": self._part("")}
        return [_added(self._index, self.item), opened, *(self.grow(self._first) if self._first else [])]

    def grow(self, text: str) -> list[Json]:
        self._pieces.append(text)
        return [{"type": f"{self._name}.delta", **self._at, "delta": text} | self._odds()]

    def sign(self, signature: str) -> None:
        """A message has none."""

    def end(self) -> list[Json]:
        text = "".join(self._pieces)
        part = self._part(text)
        self.item = self.item | {"status": "completed", "content": [part]}
        return [
            {"type": f"{self._name}.done", **self._at, self._field: text} | self._odds(),
            {"type": "response.content_part.done", **self._at, "part": part},
            _done(self._index, self.item),
        ]

    def _odds(self) -> Json:
        return {} if self.is_refusal else {"logprobs": []}

    def _part(self, text: str) -> Json:
        if self.is_refusal:
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "text": text, "annotations": []}


class _Call(OpenItem):
    def __init__(self, part: ToolCall, identifier: str, index: int) -> None:
        self._index, self._first = index, part.arguments
        self._at: Json = {"item_id": identifier, "output_index": index}
        self._pieces: list[str] = []
        self.item = {"id": identifier, "type": "function_call", "status": "in_progress"}
        self.item |= {"call_id": valid_tool_id(part.id), "name": part.name, "arguments": ""}

    def begin(self) -> list[Json]:
        return [_added(self._index, self.item), *(self.grow(self._first) if self._first else [])]

    def grow(self, text: str) -> list[Json]:
        self._pieces.append(text)
        return [{"type": "response.function_call_arguments.delta", **self._at, "delta": text}]

    def sign(self, signature: str) -> None:
        """A call has none."""

    def end(self) -> list[Json]:
        arguments = "".join(self._pieces)
        self.item = self.item | {"status": "completed", "arguments": arguments}
        done = {"type": "response.function_call_arguments.done", **self._at, "arguments": arguments}
        return [done | {"name": self.item["name"]}, _done(self._index, self.item)]


class _Reasoning(OpenItem):
    """Its text is a summary, opened with its first piece; its signature is told at its end."""

    def __init__(self, part: Thought, identifier: str, index: int) -> None:
        self._index, self._thought = index, part
        self._at: Json = {"item_id": identifier, "output_index": index, "summary_index": 0}
        self._pieces: list[str] = []
        self.item = {"id": identifier, "type": "reasoning", "summary": []}

    def begin(self) -> list[Json]:
        return [_added(self._index, self.item), *(self.grow(self._thought.text) if self._thought.text else [])]

    def grow(self, text: str) -> list[Json]:
        opened: Json = {"type": "response.reasoning_summary_part.added", **self._at, "part": _summary("")}
        first = [] if self._pieces else [opened]
        self._pieces.append(text)
        return [*first, {"type": "response.reasoning_summary_text.delta", **self._at, "delta": text}]

    def sign(self, signature: str) -> None:
        self._thought = msgspec.structs.replace(self._thought, signature=signature)

    def end(self) -> list[Json]:
        text, events = "".join(self._pieces), []
        if self._pieces:
            events = [
                {"type": "response.reasoning_summary_text.done", **self._at, "text": text},
                {"type": "response.reasoning_summary_part.done", **self._at, "part": _summary(text)},
            ]
        self.item = self.item | {"summary": [_summary(text)] if text else []}
        if self._thought.signature or self._thought.origin is not Dialect.OPENAI_RESPONSES:
            self.item["encrypted_content"] = carried_signature(self._thought, Dialect.OPENAI_RESPONSES)
        return [*events, _done(self._index, self.item)]


def _summary(text: str) -> Json:
    return {"type": "summary_text", "text": text}
