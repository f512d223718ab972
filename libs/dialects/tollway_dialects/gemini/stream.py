"""Reads a Gemini event stream as it passes: usage, finish reason, error."""

from __future__ import annotations

import msgspec

from tollway_dialects.errors import MALFORMED_EVENT
from tollway_dialects.estimate import tokens_of_bytes, tokens_of_text
from tollway_dialects.gemini.shapes import CALLED, Chunk, read_chunk
from tollway_dialects.sse import EventSplitter, event_data, is_object
from tollway_dialects.usage import Usage


class GeminiStreamReader:
    """
    A `StreamReader`; hands every event on untouched.

    Every chunk tells the usage so far. There is no final event: the stream is whole once each candidate that began has
    told why it ended, or the prompt was blocked.
    """

    kept_id = ""

    def __init__(self, input_estimate: int) -> None:
        self.is_complete = False
        self.error: str | None = None
        self.stop_reason: str | None = None
        self.told = Usage(uncached_input=input_estimate, is_estimated=True)
        self.streamed = 0
        self._open: set[int] = set()
        self._has_call = False
        self._events = EventSplitter()

    @property
    def usage(self) -> Usage:
        if self.is_complete and not self.told.is_estimated:
            return self.told
        return msgspec.structs.replace(self.told, output=max(self.streamed, self.told.output), is_estimated=True)

    def feed(self, data: bytes) -> bytes:
        events = self._events.feed(data)
        for event in events:
            self._read(event)
        if self._events.is_too_long:
            self.error = self.error or MALFORMED_EVENT
        return b"".join(events)

    def _read(self, event: bytes) -> None:
        data = event_data(event)
        if not data:
            return
        try:
            chunk = read_chunk(data)
        except (ValueError, RecursionError):
            if not is_object(data):
                self.error = MALFORMED_EVENT
            return
        self._note(chunk)

    def _note(self, chunk: Chunk) -> None:
        if chunk.error is not None:
            self.error = chunk.error.status or "upstream_error"
        if chunk.usage_metadata is not None:
            self.told = chunk.usage_metadata.normalised()
        for candidate in chunk.candidates or ():
            self._open.add(candidate.index)
            for part in candidate.parts():
                self.streamed += tokens_of_text(part.text or "")
                if part.function_call:
                    self._has_call = True
                    self.streamed += tokens_of_bytes(len(bytes(part.function_call.args)))
            if candidate.finish_reason:
                self._open.discard(candidate.index)
                is_call = self._has_call and candidate.finish_reason == "STOP"
                self.stop_reason = CALLED if is_call else candidate.finish_reason
        if reason := chunk.block_reason():
            self.stop_reason = reason
            self._open.clear()
        self.is_complete |= self.stop_reason is not None and not self._open
