"""One try at a provider of another dialect than the client's: what is asked of it, and its answer on the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect
from tollway_dialects.estimate import tokens_of_bytes
from tollway_dialects.header_lines import value_of
from tollway_dialects.translation.answers import AnswerTranslator
from tollway_dialects.translation.encoder import AnswerContext
from tollway_dialects.translation.errors import MalformedAnswer
from tollway_dialects.translation.faults import translate_fault
from tollway_dialects.translation.translate import translate_request
from tollway_dialects.usage import Usage
from tollway_dialects.wires import UPSTREAM_WIRES, WIRES

from tollway_provider_dispatch.domain.ports import UpstreamBroken

if TYPE_CHECKING:
    from tollway_dialects.dialect import StreamReader

    from tollway_provider_dispatch.domain.call import ChatCall
    from tollway_provider_dispatch.domain.route import Candidate

_JSON, _EVENTS = b"application/json", b"text/event-stream; charset=utf-8"
_ANTHROPIC_VERSION = b"anthropic-version: 2023-06-01\r\n"


class Translation:
    """
    A request in the provider's dialect, and what reads its answer in the client's.

    Raises:
        Untranslatable: The provider's dialect cannot say what is asked, or its model does not take it.
        MalformedRequest: It is no JSON object.
    """

    def __init__(self, call: ChatCall, candidate: Candidate, upstream: Dialect, unix_seconds: int) -> None:
        self.upstream = upstream
        self._client = call.dialect
        self._id = f"req_{call.call_id}"
        asked = translate_request(
            call.dialect, upstream, call.body, candidate.capabilities, name=candidate.upstream_name
        )
        self.body, self.dropped, self.adapted, self.is_stream = (
            *(asked.body, asked.dropped, ("dialect", *asked.adapted), asked.is_stream),
        )
        self._answer = AnswerTranslator(
            upstream,
            call.dialect,
            AnswerContext(
                candidate.model,
                tokens_of_bytes(len(call.body)),
                unix_seconds,
                self._id,
                asked.streams_usage,
                call.body,
            ),
        )

    def header_lines(self) -> bytes:
        """Return what the request says in place of the client's headers, which speak of another dialect."""
        version = _ANTHROPIC_VERSION if self.upstream is Dialect.ANTHROPIC_MESSAGES else b""
        return b"content-type: application/json\r\n" + version

    def told_lines(self, lines: bytes) -> bytes:
        """Return the answer's headers; those of the provider name ids and limits that are none of this client's."""
        is_stream = value_of(lines, b"content-type").lower().startswith(b"text/event-stream")
        name = b"request-id" if self._client is Dialect.ANTHROPIC_MESSAGES else b"x-request-id"
        return b"content-type: %b\r\n%b: %b\r\n" % (_EVENTS if is_stream else _JSON, name, self._id.encode())

    def whole(self, body: bytes) -> tuple[bytes, Usage]:
        """Return a whole answer; raises `UpstreamBroken` where it is none."""
        try:
            return self._answer.whole(body), self._answer.usage
        except MalformedAnswer as error:
            raise UpstreamBroken("malformed_response", "the answer cannot be read") from error

    def refusal(self, status: int, body: bytes) -> tuple[int, bytes]:
        """Return status and body of an error."""
        told = translate_fault(self.upstream, self._client, status, body, self._id)
        return told.status, told.body

    def reader(self, call: ChatCall) -> TranslatedReader:
        inner = WIRES[call.dialect].stream_reader(tokens_of_bytes(len(call.body)), strip_usage=call.strip_usage_event)
        return TranslatedReader(self._answer, inner)

    @property
    def final_event(self) -> bytes:
        return UPSTREAM_WIRES[self.upstream].final_event


class TranslatedReader:
    """A `StreamReader` of the upstream's bytes that hands on the client's events, and reads those as any others."""

    kept_id = ""
    """Who translates keeps nothing."""

    def __init__(self, answer: AnswerTranslator, inner: StreamReader) -> None:
        self._answer = answer
        self._inner = inner
        self._note()

    @property
    def usage(self) -> Usage:
        return self._answer.usage

    def feed(self, data: bytes) -> bytes:
        handed_on = self._inner.feed(self._answer.feed(data))
        self._note()
        return handed_on

    def _note(self) -> None:
        inner, fault = self._inner, self._answer.error
        self.is_complete, self.stop_reason = inner.is_complete, inner.stop_reason
        self.told, self.streamed = inner.told, inner.streamed
        self.error = fault.kind.anthropic_type if fault else inner.error
