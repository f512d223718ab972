"""Reads an OpenAI chunk stream as it passes: usage, finish reason, [DONE], error chunk."""

from __future__ import annotations

import msgspec

from tollway_dialects.errors import MALFORMED_EVENT
from tollway_dialects.estimate import tokens_of_text
from tollway_dialects.openai.shapes import Chunk, merge_stop_reason
from tollway_dialects.sse import EventSplitter, event_data, is_object, one_a_line
from tollway_dialects.usage import Usage

_CHUNK = msgspec.json.Decoder(Chunk)
_CHUNKS = msgspec.json.Decoder(tuple[Chunk])
_DONE = b"[DONE]"
# within a text its quotes would be escaped
_NO_USAGE = b',"usage":null'


class OpenAIStreamReader:
    """
    A `StreamReader`.

    With `strip_usage` the usage chunk is taken out, and the `usage: null` of all others with it: the gateway asked for
    it, the client did not. All else is handed on untouched.
    """

    kept_id = ""

    def __init__(self, input_estimate: int, *, strip_usage: bool) -> None:
        self.is_complete = False
        self.error: str | None = None
        self.stop_reason: str | None = None
        self.told = Usage(uncached_input=input_estimate, is_estimated=True)
        self.streamed = 0
        self._strip_usage = strip_usage
        self._events = EventSplitter()

    @property
    def usage(self) -> Usage:
        return msgspec.structs.replace(self.told, output=self.streamed) if self.told.is_estimated else self.told

    def feed(self, data: bytes) -> bytes:
        if (plain := self._events.plain_data(data)) and self._read_all(plain):
            return data.replace(_NO_USAGE, b"") if self._strip_usage else data
        if len(cuts := self._events.cuts(data)) > 1:
            return b"".join(map(self.feed, cuts))
        events = self._events.feed(data)
        handed_on = b"".join([event for event in events if not (self._read(event) and self._strip_usage)])
        if self._events.is_too_long:
            self.error = self.error or MALFORMED_EVENT
        return handed_on.replace(_NO_USAGE, b"") if self._strip_usage else handed_on

    def _read(self, event: bytes) -> bool:
        """Take note of one event; True for a chunk that holds nothing but usage."""
        data = event_data(event)
        if not data:
            return False
        if data == _DONE:
            self.is_complete = True
            return False
        try:
            chunk = _CHUNK.decode(data)
        except (ValueError, RecursionError):
            if not is_object(data):
                self.error = MALFORMED_EVENT
            return False
        self._note(chunk)
        return _is_usage(chunk)

    def _read_all(self, plain: list[bytes]) -> bool:
        """Take note of several events at once; False where one of them is odd or must not be handed on."""
        is_complete = plain[-1] == _DONE
        chunks = plain[:-1] if is_complete else plain
        try:
            if len(chunks) == 1:
                seen = [_CHUNK.decode(chunks[0])]
            else:
                seen = [chunk for (chunk,) in _CHUNKS.decode_lines(one_a_line(chunks))]
        except (ValueError, RecursionError):
            return False
        if len(seen) != len(chunks) or (self._strip_usage and any(map(_is_usage, seen))):
            return False
        for each in seen:
            self._note(each)
        self.is_complete |= is_complete
        return True

    def _note(self, chunk: Chunk) -> None:
        if chunk.error is not None:
            self.error = "upstream_error"
        if chunk.usage is not None:
            self.told = chunk.usage.normalised()
        for choice in chunk.choices:
            self.stop_reason = merge_stop_reason(self.stop_reason, choice.finish_reason)
            if choice.delta:
                self.streamed += tokens_of_text(choice.delta.text())


def _is_usage(chunk: Chunk) -> bool:
    return chunk.usage is not None and not chunk.choices and chunk.error is None
