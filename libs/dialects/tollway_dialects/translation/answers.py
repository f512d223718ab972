"""Translates one answer from the upstream's dialect to the client's, whole or as a stream, and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.estimate import tokens_of_text
from tollway_dialects.sse import EventSplitter, event_data
from tollway_dialects.translation import anthropic, chat, gemini, responses
from tollway_dialects.translation.encoder import Decoder, Encoder, Ending
from tollway_dialects.translation.errors import MalformedAnswer
from tollway_dialects.translation.form.deltas import (
    Cited,
    Delta,
    Failed,
    Finished,
    Grew,
    Lost,
    PartEnded,
    PartStarted,
    Signed,
    Started,
    Stop,
    Stopped,
    UsageTold,
)
from tollway_dialects.translation.form.faults import Fault, FaultKind
from tollway_dialects.translation.form.parts import ToolCall
from tollway_dialects.translation.wire.in_order import InOrder
from tollway_dialects.usage import Usage
from tollway_dialects.wires import UPSTREAM_WIRES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tollway_dialects.translation.encoder import AnswerContext
    from tollway_dialects.translation.wire.in_order import PartDelta

DECODERS: Mapping[Dialect, Callable[[], Decoder]] = {
    Dialect.ANTHROPIC_MESSAGES: anthropic.AnthropicDecoder,
    Dialect.OPENAI_CHAT: chat.ChatDecoder,
    Dialect.OPENAI_RESPONSES: responses.ResponsesDecoder,
    Dialect.GEMINI: gemini.GeminiDecoder,
}
ENCODERS: Mapping[Dialect, Callable[[AnswerContext], Encoder]] = {
    Dialect.ANTHROPIC_MESSAGES: anthropic.AnthropicEncoder,
    Dialect.OPENAI_CHAT: chat.ChatEncoder,
    Dialect.OPENAI_RESPONSES: responses.ResponsesEncoder,
}
_ODD = (LookupError, TypeError, ValueError, AttributeError, RecursionError, MalformedAnswer)
_BROKEN = Fault(FaultKind.SERVER, "the provider sent an answer that cannot be read")


class AnswerTranslator:
    """
    Translates one answer, as it comes.

    Args:
        upstream: The dialect of the provider that answers.
        client: The dialect of the client that asked.
        context: What the client's answer says that no provider tells.
    """

    def __init__(self, upstream: Dialect, client: Dialect, context: AnswerContext) -> None:
        self.is_complete = False
        """The upstream's final event came, and the client's was written."""
        self.error: Fault | None = None
        """What the provider said instead of going on, or that its answer cannot be read; the client was told."""
        self.dropped: dict[str, None] = {}
        """What the client's dialect could not say."""
        self._client, self._upstream, self._context = client, upstream, context
        self._decoder, self._encoder = DECODERS[upstream](), ENCODERS[client](context)
        self._events = EventSplitter()
        self._in_order = InOrder()
        self._started: Started | None = None
        self._is_open = False
        self._has_call = False
        self._has_no_arguments = False
        self._ending: Ending | None = None
        self._told = Usage(uncached_input=context.input_estimate, is_estimated=True)
        self._streamed = 0

    @property
    def usage(self) -> Usage:
        """Cumulative, and estimated until the provider told the final count."""
        if self._told.is_estimated:
            return msgspec.structs.replace(self._told, output=max(self._streamed, self._told.output))
        return self._told

    def whole(self, body: bytes) -> bytes:
        """
        Return a whole JSON answer.

        Raises:
            MalformedAnswer: It is none, or says that it failed; `error` has what it says.
        """
        try:
            events = UPSTREAM_WIRES[self._upstream].to_events(body, with_usage=True)
            written = self.feed(events)
            if self.is_complete:
                return UPSTREAM_WIRES[self._client].from_events(written, self.usage)
        except _ODD:
            pass
        self.error = self.error or _BROKEN
        raise MalformedAnswer(self.error.message) from None

    def feed(self, data: bytes) -> bytes:
        """Take bytes of a stream, cut anywhere; return whole events. After the end or an error nothing comes."""
        written = [self._read(event) for event in self._events.feed(data)]
        if self._events.is_too_long:
            written.append(self.break_off(_BROKEN))
        return b"".join(written)

    def break_off(self, fault: Fault) -> bytes:
        """Return the error event that ends the client's stream; nothing where it has ended."""
        if self.is_complete or self.error:
            return b""
        self.error = fault
        return self._encoder.fail(fault)

    def _read(self, event: bytes) -> bytes:
        data = event_data(event)
        if not data or self.is_complete or self.error:
            return b""
        written = bytearray()
        try:
            seen = self._decoder.done() if data == b"[DONE]" else self._decoder.read(_object(data))
            for delta in seen:
                written += self._take(delta)
            if self._started and not self.error:
                written += self._begin()
        except _ODD:
            written += self.break_off(_BROKEN)
        return bytes(written)

    def _take(self, delta: Delta) -> bytes:
        match delta:
            case Started():
                self._started = self._started or delta
            case UsageTold():
                self._told = delta.usage if delta.is_final else msgspec.structs.replace(delta.usage, is_estimated=True)
            case Stopped():
                self._ending = self._ending or Ending(delta.stop, delta.sequence, delta.details)
            case Finished():
                return self._finish()
            case Failed():
                return self.break_off(delta.fault)
            case Lost():
                self.dropped[delta.name] = None
            case _:
                return self._begin() + b"".join([self._part(each) for each in self._in_order.take(delta)])
        return b""

    def _begin(self) -> bytes:
        if self._is_open:
            return b""
        if self._started is None:
            raise MalformedAnswer("an answer went on that had not begun")
        self._is_open = True
        # no client takes an answer to nothing
        usage = self.usage if self._told.input else Usage(uncached_input=max(1, self._context.input_estimate))
        return self._encoder.start(self._started.id, self._started.model or self._context.model, usage)

    def _part(self, delta: PartDelta) -> bytes:
        match delta:
            case Grew(text=""):
                return b""
            case Grew():
                self._has_no_arguments = False
                self._streamed += tokens_of_text(delta.text)
            case PartStarted():
                self._has_no_arguments = isinstance(delta.part, ToolCall)
                self._has_call |= self._has_no_arguments
            case PartEnded() if self._has_no_arguments:  # nothing is no JSON, and clients parse it
                self._has_no_arguments = False
                return self._encoder.part(Grew(delta.key, "{}")) + self._encoder.part(delta)
            case Signed() if self._client is Dialect.OPENAI_CHAT:
                self.dropped["signature"] = None
            case Cited():
                self.dropped["citations"] = None
        return self._encoder.part(delta)

    def _finish(self) -> bytes:
        if self._ending is None:
            raise MalformedAnswer("an answer ended without a reason")
        ending = self._ending
        if ending.stop is Stop.END and self._has_call:  # some have no word of their own for it
            ending = msgspec.structs.replace(ending, stop=Stop.TOOL_USE)
        written = self._begin() + b"".join([self._part(delta) for delta in self._in_order.end_all()])
        written += self._encoder.end(ending, self.usage)
        self.is_complete = True
        return written


def _object(data: bytes) -> dict[str, Any]:
    seen: Any = msgspec.json.decode(data)
    if isinstance(seen, list) and len(seen) == 1:  # as Gemini sends errors
        seen = seen[0]
    if not isinstance(seen, dict):
        raise MalformedAnswer("an event is no object")
    return seen
