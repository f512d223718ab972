"""Reads the chunks of a chat completions stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.openai.shapes import OpenAIUsage
from tollway_dialects.translation.chat.calls_in import OpenCalls
from tollway_dialects.translation.chat.fault import fault_of
from tollway_dialects.translation.errors import MalformedAnswer
from tollway_dialects.translation.form.deltas import (
    Delta,
    Failed,
    Finished,
    Grew,
    Opening,
    PartEnded,
    PartStarted,
    Started,
    Stop,
    Stopped,
    UsageTold,
)
from tollway_dialects.translation.form.parts import Refusal, Text, Thought

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tollway_dialects.translation.form.parts import Json

_STOPS = {
    "stop": Stop.END,
    "length": Stop.MAX_TOKENS,
    "tool_calls": Stop.TOOL_USE,
    "content_filter": Stop.REFUSAL,
}
# fields of a delta that hold text, in the order in which models say them
_TEXTS: dict[str, Opening] = {
    "reasoning_content": Thought("", Dialect.OPENAI_CHAT),
    "reasoning": Thought("", Dialect.OPENAI_CHAT),
    "content": Text(""),
    "refusal": Refusal(""),
}


class ChatDecoder:
    """A `Decoder`; text that begins ends the one before, calls end as `OpenCalls` says."""

    def __init__(self) -> None:
        self._is_started = False
        self._field: str | None = None
        self._texts = 0
        self._calls = OpenCalls()

    def read(self, event: Json) -> Iterator[Delta]:
        if event.get("error") is not None:
            yield Failed(fault_of(500, event))
            return
        if not self._is_started:
            self._is_started = True
            yield Started(str(event.get("id") or ""), str(event.get("model") or ""))
        for choice in event.get("choices") or ():
            if choice.get("index", 0) == 0:
                yield from self._choice(choice)
        if usage := event.get("usage"):
            yield UsageTold(msgspec.convert(usage, OpenAIUsage).normalised(), is_final=True)

    def done(self) -> Iterator[Delta]:
        yield Finished()

    def _choice(self, choice: Json) -> Iterator[Delta]:
        delta: dict[str, Any] = choice.get("delta") or {}
        for field in _TEXTS:
            if field == "reasoning" and delta.get("reasoning_content"):
                continue  # some send both, and they say the same
            if text := delta.get(field):
                yield from self._say(field, text)
        for piece in delta.get("tool_calls") or ():
            yield from self._end_text()
            yield from self._calls.take(piece)
        if reason := choice.get("finish_reason"):  # a chunk of usage may repeat it
            yield from self._stop(reason)

    def _say(self, field: str, text: str) -> Iterator[Delta]:
        if field != self._field:
            yield from self._calls.end_whole()
            yield from self._end_text()
            self._field = field
            self._texts += 1
            yield PartStarted(self._key(), _TEXTS[field])
        yield Grew(self._key(), text)

    def _end_text(self) -> Iterator[Delta]:
        if self._field is not None:
            yield PartEnded(self._key())
            self._field = None

    def _key(self) -> str:
        return f"text {self._texts}"

    def _stop(self, reason: str) -> Iterator[Delta]:
        if reason not in _STOPS:
            raise MalformedAnswer("it stopped for a reason that is not known")
        yield from self._end_text()
        yield from self._calls.end_all()
        yield Stopped(_STOPS[reason])
