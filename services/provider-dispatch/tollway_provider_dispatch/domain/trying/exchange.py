"""One try: a call sent to one route, and what came back as a piece of answer; used by `dispatch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from tollway_dialects.estimate import tokens_of_bytes
from tollway_dialects.header_lines import value_of
from tollway_dialects.request import RequestBody
from tollway_dialects.sse import is_object
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES

from tollway_provider_dispatch.domain.call import BROKEN, REFUSED, SUCCEEDED, ChatCall, End, Failure, Head, Piece
from tollway_provider_dispatch.domain.ports import UpstreamBroken
from tollway_provider_dispatch.domain.trying.translated import (
    TranslatedAnswer,
    Untranslatable,
    fault_told,
    refusal_told,
    translated,
)
from tollway_provider_dispatch.domain.trying.tries import RETRY_AFTER_MS
from tollway_provider_dispatch.domain.trying.verdict import Fault, Verdict, verdict_of, verdict_of_success

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tollway_provider_dispatch.domain.candidate import Route
    from tollway_provider_dispatch.domain.ports import TimeLimits, UpstreamAnswer, UpstreamClient
    from tollway_provider_dispatch.domain.trying.tries import Tries


class Question(msgspec.Struct, frozen=True):
    """A call as it is put to a provider."""

    url: str
    header_lines: bytes
    body: bytes | memoryview
    changes: tuple[str, ...] = ()
    """Made to the client's body."""
    dropped: tuple[str, ...] = ()
    is_translated: bool = False


def question_for(call: ChatCall, route: Route) -> Question:
    """Return what the route's provider is asked; raises `Untranslatable`."""
    candidate, provider = route.candidate, route.candidate.provider
    if candidate.speaks is not None:
        asked, url, own_lines = translated(call, candidate)
        changes = ("translated", *asked.adapted)
        return Question(url, own_lines + route.header_lines, asked.body, changes, asked.dropped, is_translated=True)
    url, lines = provider.url(call.dialect, call.query), call.header_lines + route.header_lines
    if candidate.upstream_name == call.body_model:
        return Question(url, lines, call.body)
    body = RequestBody.parse(bytes(call.body))
    body.set("model", candidate.upstream_name, "model")
    return Question(url, lines, body.raw, ("model",))


def answer_to(call: ChatCall, tries: Tries, question: Question, answer: UpstreamAnswer) -> tuple[UpstreamAnswer, Head]:
    """Return what the present route says, in the client's dialect, now that its status is there."""
    candidate, key = tries.route.candidate, tries.route.key
    tries.rows[-1].http_status = status = answer.status
    if question.is_translated:
        answer = TranslatedAnswer(answer, call, candidate)
        lines = answer.header_lines
    else:
        lines = key.left_out_of(answer.header_lines)
    fallback = tries.fallback()
    head = Head(status, lines, candidate.provider.name, candidate.model, question.changes, fallback, question.dropped)
    return answer, head


async def send(
    call: ChatCall, tries: Tries, clients: Mapping[str, UpstreamClient], limits: TimeLimits | None
) -> tuple[UpstreamAnswer, Head]:
    """Ask the present route and return once it answered with a status; raises `UpstreamBroken`."""
    question = question_for(call, tries.route)
    client = clients[tries.route.candidate.provider.name]
    answer = await client.request("POST", question.url, question.header_lines, question.body, limits)
    try:
        return answer_to(call, tries, question, answer)
    except BaseException:
        answer.close()  # nobody else has it yet
        raise


def read_whole(call: ChatCall, tries: Tries, head: Head, body: bytes) -> tuple[Piece, Fault | None]:
    """Return a whole answer, and what is wrong with it if it is an error; raises `UpstreamBroken` if it is neither."""
    if head.status >= 300:
        return _refused(call, tries, head, body)
    usage, stop_reason = WIRES[call.dialect].read_usage(body)
    if usage is None and not WIRES[call.dialect].is_free:
        if b'"error"' in body:  # answers proper are left alone: an endpoint's key may be a mere word
            body = tries.route.key.masked_in(body)
        if fault := verdict_of_success(body):
            tries.end(REFUSED, Usage(), fault.reason)
            return Piece(head, body, Usage(), End(is_complete=True), attempts=tuple(tries.rows)), fault
        if not is_object(body):
            raise UpstreamBroken("malformed_response", "the body is no JSON object")
    usage = usage or Usage(
        uncached_input=tokens_of_bytes(len(call.body)), output=tokens_of_bytes(len(body)), is_estimated=True
    )
    tries.end(SUCCEEDED, usage)
    end = End(is_complete=True, stop_reason=stop_reason or "")
    return Piece(head, body, usage, end, attempts=tuple(tries.rows)), None


def read_broken(call: ChatCall, tries: Tries, broken: UpstreamBroken) -> Piece:
    """Return what is told of a try that gave no answer, or not a whole one."""
    row = tries.rows[-1]
    if isinstance(broken, Untranslatable):
        tries.end(REFUSED, Usage(), broken.reason)
        lines, body = refusal_told(call, broken)
        head = Head(400, lines, row.provider, row.model)
        return Piece(head, body, Usage(), End(is_complete=True), attempts=tuple(tries.rows))
    # it may have read the prompt
    may_be_charged = 200 <= row.http_status < 300 or (not row.http_status and broken.is_sent)
    usage = Usage()
    if may_be_charged and not WIRES[call.dialect].is_free:
        usage = Usage(uncached_input=tokens_of_bytes(len(call.body)), is_estimated=True)
    tries.end(BROKEN, usage, broken.reason)
    reason = "UPSTREAM_TIMEOUT" if broken.reason == "timeout" else "UPSTREAM_UNREACHABLE"
    message = f"provider {row.provider} did not answer ({broken.reason}); try again"
    return Piece(usage=usage, failure=Failure(reason, message, RETRY_AFTER_MS), attempts=tuple(tries.rows))


def is_event_stream(head: Head) -> bool:
    return head.status < 300 and value_of(head.header_lines, b"content-type").lower().startswith(b"text/event-stream")


def _refused(call: ChatCall, tries: Tries, head: Head, body: bytes) -> tuple[Piece, Fault]:
    # some servers quote the key that they refuse, and it is none of the client's business
    body = tries.route.key.masked_in(body)
    fault = Fault(Verdict.REFUSED, f"status_{head.status}")
    if head.status >= 400:
        fault = verdict_of(head.status, head.header_lines, body, tries.clock.unix_ms() / 1000)
    if tries.route.candidate.speaks is not None:
        head, body = fault_told(call, tries.route.candidate, head, body)
    tries.end(REFUSED, Usage(), fault.reason)
    return Piece(head, body, Usage(), End(is_complete=True), attempts=tuple(tries.rows)), fault
