"""The tool calls of a chat stream: pieces by index, which may interleave, and no word of where one ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.sse import MAX_EVENT
from tollway_dialects.translation.errors import MalformedAnswer
from tollway_dialects.translation.form.deltas import Grew, PartEnded, PartStarted
from tollway_dialects.translation.form.parts import ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tollway_dialects.translation.form.parts import Json


class _Call:
    """A call whose arguments may go on."""

    def __init__(self, key: str, identifier: str) -> None:
        self.key = key
        self.id = identifier
        self.pieces: list[str] = []
        self.is_ended = False

    def is_whole(self) -> bool:
        """Say whether the arguments are a JSON object: then nothing can follow."""
        if not (self.pieces and self.pieces[-1].rstrip().endswith("}")):
            return False
        try:
            msgspec.json.decode("".join(self.pieces), type=dict[str, msgspec.Raw])
        except (ValueError, RecursionError):
            return False
        return True


class OpenCalls:
    """The calls of one answer: one whose arguments are whole ends when something else begins, all others at the end."""

    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}
        self._count = 0
        self._size = 0

    def take(self, piece: Json) -> Iterator[PartStarted | Grew | PartEnded]:
        index, function = piece.get("index") or 0, piece.get("function") or {}
        call = self._calls.get(index)
        if call is None or (piece.get("id") and piece["id"] != call.id):  # some give every call the same index
            yield from self.end_whole()
            yield from self._end(call)
            call = self._begin(index, piece, function)
            yield PartStarted(call.key, ToolCall(call.id, function["name"], ""))
        if text := function.get("arguments"):
            yield from self._grow(call, text)

    def end_whole(self) -> Iterator[PartEnded]:
        for call in self._calls.values():
            if not call.is_ended and call.is_whole():
                yield from self._end(call)

    def end_all(self) -> Iterator[PartEnded]:
        for call in self._calls.values():
            yield from self._end(call)

    def _begin(self, index: int, piece: Json, function: dict[str, Any]) -> _Call:
        if not piece.get("id") or not function.get("name"):
            raise MalformedAnswer("a tool call has no id or no name")
        self._count += 1
        call = self._calls[index] = _Call(f"call {self._count}", piece["id"])
        return call

    def _grow(self, call: _Call, text: str) -> Iterator[Grew]:
        if call.is_ended:
            if text.strip():
                raise MalformedAnswer("a tool call went on after its arguments were whole")
            return
        call.pieces.append(text)
        self._size += len(text)
        if self._size > MAX_EVENT:
            raise MalformedAnswer("the arguments of tool calls are too long")
        yield Grew(call.key, text)

    def _end(self, call: _Call | None) -> Iterator[PartEnded]:
        if call and not call.is_ended:
            call.is_ended = True
            call.pieces = []
            yield PartEnded(call.key)
