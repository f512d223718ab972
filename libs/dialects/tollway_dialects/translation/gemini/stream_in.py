"""Reads the chunks of a Gemini stream."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.gemini.shapes import GeminiUsage
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
from tollway_dialects.translation.form.faults import Fault, FaultKind
from tollway_dialects.translation.form.parts import Text, Thought, ToolCall
from tollway_dialects.translation.gemini.fault import fault_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tollway_dialects.translation.form.parts import Json

_US = Dialect.GEMINI
_STOPS = {"STOP": Stop.END, "MAX_TOKENS": Stop.MAX_TOKENS}
_REFUSALS = frozenset({"SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION", "IMAGE_SAFETY"})


class GeminiDecoder:
    """A `Decoder`; calls come whole, texts and thoughts in pieces, a signature on the part that it is for, or after."""

    def __init__(self) -> None:
        self._answer = ""
        self._open: Opening | None = None
        self._parts = 0
        self._is_finished = False

    def read(self, event: Json) -> Iterator[Delta]:
        if event.get("error") is not None:
            yield Failed(fault_of(500, event))
            return
        if self._is_finished:
            return
        if not self._answer:
            # an id for calls that get none must be no other's in the conversation
            self._answer = str(event.get("responseId") or secrets.token_hex(8))
            yield Started(self._answer, str(event.get("modelVersion") or ""))
        blocked = (event.get("promptFeedback") or {}).get("blockReason")
        said: Json = next((each for each in event.get("candidates") or () if each.get("index", 0) == 0), {})
        reason = said.get("finishReason")
        if usage := event.get("usageMetadata"):
            yield UsageTold(msgspec.convert(usage, GeminiUsage).normalised(), is_final=bool(reason or blocked))
        for part in (said.get("content") or {}).get("parts") or ():
            yield from self._part(part)
        if reason or blocked:
            yield from self._finish(Stop.REFUSAL if blocked else None, reason)

    def done(self) -> Iterator[Delta]:
        """Other dialects end so; here it means nothing."""
        yield from ()

    def _finish(self, stop: Stop | None, reason: str | None) -> Iterator[Delta]:
        self._is_finished = True
        yield from self._end()
        stop = stop or (Stop.REFUSAL if reason in _REFUSALS else _STOPS.get(reason or ""))
        if stop is None:  # a call that it could not write, a language that it does not speak
            yield Failed(Fault(FaultKind.SERVER, "the provider ended its answer without one"))
            return
        yield Stopped(stop)
        yield Finished()

    def _part(self, part: Json) -> Iterator[Delta]:
        signature = part.get("thoughtSignature") or ""
        if (call := part.get("functionCall")) is not None:
            yield from self._call(call, signature)
        elif "text" in part:
            yield from self._text(part["text"], signature, is_thought=bool(part.get("thought")))
        else:
            yield Lost(next(iter(part), "part"))

    def _text(self, text: str, signature: str, *, is_thought: bool) -> Iterator[Delta]:
        if text:
            opening: Opening = Thought("", _US) if is_thought else Text("")
            if type(opening) is not type(self._open):
                yield from self._start(opening)
            yield Grew(self._key(), text)
        if signature:
            yield from self._sign(signature)

    def _call(self, call: Json, signature: str) -> Iterator[Delta]:
        if not call.get("name"):
            raise MalformedAnswer("a function call has no name")
        if signature:
            yield from self._sign(signature)
        arguments = msgspec.json.encode(call.get("args") or {}).decode()
        made_up = f"call_{hashlib.sha256(self._answer.encode()).hexdigest()[:16]}_{self._parts}"
        yield from self._start(ToolCall(call.get("id") or made_up, call["name"], ""))
        yield Grew(self._key(), arguments)
        yield from self._end()

    def _sign(self, signature: str) -> Iterator[Delta]:
        """Sign the thought that is open, or one of no words, which keeps the signature's place."""
        if not isinstance(self._open, Thought):
            yield from self._start(Thought("", _US))
        yield Signed(self._key(), signature)
        yield from self._end()

    def _start(self, part: Opening) -> Iterator[Delta]:
        yield from self._end()
        self._parts += 1
        self._open = part
        yield PartStarted(self._key(), part)

    def _end(self) -> Iterator[Delta]:
        if self._open is not None:
            yield PartEnded(self._key())
            self._open = None

    def _key(self) -> str:
        return str(self._parts)
