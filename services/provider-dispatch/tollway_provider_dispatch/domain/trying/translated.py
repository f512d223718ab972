"""
A provider that speaks another dialect than the client: asked in its words, told in the client's; used by `exchange`.

All else of dispatch sees the client's dialect alone, so that limits, usage, retries and rescue are the same.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
from tollway_dialects.dialect import Dialect
from tollway_dialects.errors import GatewayErrorKind
from tollway_dialects.estimate import tokens_of_bytes
from tollway_dialects.gemini.wire import path_of
from tollway_dialects.header_lines import value_of
from tollway_dialects.request import MalformedRequest
from tollway_dialects.translation.answers import AnswerTranslator
from tollway_dialects.translation.encoder import AnswerContext
from tollway_dialects.translation.errors import MalformedAnswer
from tollway_dialects.translation.faults import translate_fault
from tollway_dialects.translation.translate import translate_request
from tollway_dialects.wires import WIRES

from tollway_provider_dispatch.domain.ports import UpstreamAnswer, UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_dialects.translation.translate import Translated

    from tollway_provider_dispatch.domain.call import ChatCall, Head
    from tollway_provider_dispatch.domain.candidate import Candidate

_JSON = b"content-type: application/json\r\n"
_EVENTS = b"content-type: text/event-stream; charset=utf-8\r\n"
_ASKED_WITH = {Dialect.ANTHROPIC_MESSAGES: _JSON + b"anthropic-version: 2023-06-01\r\n"}
# the provider's own waits and words about retries are for everybody; all its other headers are of its dialect
_TOLD = (b"retry-after", b"retry-after-ms", b"x-should-retry")


class Untranslatable(UpstreamBroken):
    """What is asked cannot be asked of this provider; nothing was sent."""


def translated(call: ChatCall, candidate: Candidate) -> tuple[Translated, str, bytes]:
    """Return the request in the provider's dialect, the URL and the headers for it; raises `Untranslatable`."""
    spoken, provider, body = candidate.spoken_to(call.dialect), candidate.provider, bytes(call.body)
    try:
        asked = translate_request(call.dialect, spoken, body, candidate.capabilities, name=candidate.upstream_name)
    except MalformedRequest as error:
        raise Untranslatable("untranslatable", str(error), is_sent=False) from None
    if spoken is Dialect.GEMINI:
        url = provider.base_url + path_of(candidate.upstream_name, is_stream=asked.is_stream)
    else:
        url = provider.url(spoken, "")
    return asked, url, _ASKED_WITH.get(spoken, _JSON)


class TranslatedAnswer(UpstreamAnswer):
    """An `UpstreamAnswer` in the client's dialect; an error's body stays the provider's, for whoever judges it."""

    def __init__(self, answer: UpstreamAnswer, call: ChatCall, candidate: Candidate) -> None:
        self.status = answer.status
        is_stream = value_of(answer.header_lines, b"content-type").lower().startswith(b"text/event-stream")
        self.header_lines = headers_of(call, answer.header_lines, _EVENTS if is_stream else _JSON)
        self._answer = answer
        context = AnswerContext(
            model=candidate.model,
            input_estimate=tokens_of_bytes(len(call.body)),
            created=int(time.time()),
            request_id=_request_id(call),
            request=bytes(call.body),
        )
        self._translator = AnswerTranslator(candidate.spoken_to(call.dialect), call.dialect, context)

    @property
    def has_ended(self) -> bool:
        return self._answer.has_ended

    async def read(self) -> bytes:
        body = await self._answer.read()
        if self.status >= 300:
            return body
        try:
            return self._translator.whole(body)
        except MalformedAnswer as error:
            raise UpstreamBroken("malformed_response", str(error)) from error

    async def piece(self) -> bytes:
        while data := await self._answer.piece():
            if events := self._translator.feed(data):
                return events
        return b""

    async def pass_on(self, take: Callable[[bytes], bool]) -> bool:
        return await self._answer.pass_on(lambda data: not (events := self._translator.feed(data)) or take(events))

    def limit_stall(self, seconds: float) -> None:
        self._answer.limit_stall(seconds)

    def close(self) -> None:
        self._answer.close()


def fault_told(call: ChatCall, candidate: Candidate, head: Head, body: bytes) -> tuple[Head, bytes]:
    """Return a provider's error as the client's dialect tells it."""
    fault = translate_fault(candidate.spoken_to(call.dialect), call.dialect, head.status, body, _request_id(call))
    return msgspec.structs.replace(head, status=fault.status), fault.body


def refusal_told(call: ChatCall, refusal: Untranslatable) -> tuple[bytes, bytes]:
    """Return headers and body of the 400 that says what cannot be asked."""
    body = WIRES[call.dialect].error_body(GatewayErrorKind.INVALID_REQUEST, str(refusal), _request_id(call))
    return headers_of(call, b"x-should-retry: false\r\n", _JSON), body


def headers_of(call: ChatCall, lines: bytes, content_type: bytes) -> bytes:
    """Return the headers of an answer that is told in another dialect."""
    name = b"request-id" if call.dialect is Dialect.ANTHROPIC_MESSAGES else b"x-request-id"
    told = [b"%b: %b\r\n" % (each, value) for each in _TOLD if (value := value_of(lines, each))]
    return b"".join([content_type, b"%b: %b\r\n" % (name, _request_id(call).encode()), *told])


def _request_id(call: ChatCall) -> str:
    return f"req_{call.call_id}"
