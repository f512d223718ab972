"""Hands an answer on to the client, piece by piece or whole, and notes on the call what came of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tollway_edge.domain.call import FAILED, RUNNING, SUCCEEDED
from tollway_edge.domain.errors import GatewayError, GatewayErrorKind
from tollway_edge.domain.headers import EVENT_STREAM, JSON, gateway_headers, own_headers, request_id_of
from tollway_edge.domain.last_resort import send_last_resort

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_edge.domain.answer import AnswerEnd, AnswerHead, AnswerPiece, CachedAnswer
    from tollway_edge.domain.call import Call
    from tollway_edge.domain.keeping import Kept
    from tollway_edge.domain.ports import Client

log = logging.getLogger(__name__)


async def deliver_cached(call: Call, answer: CachedAnswer, client: Client) -> bool:
    """Send an earlier answer in the form that this client asked for; False where it cannot be put into it."""
    try:
        body = _as_asked_for(call, answer)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        log.warning("call %s: a kept answer cannot be replayed (%s)", call.query_id, type(error).__name__)
        return False
    call.cache, call.provider, call.model = answer.layer, answer.provider, answer.model
    call.tier, call.usage, call.saved_micro_usd = answer.tier, answer.usage, answer.cost_micro_usd
    call.begin_answer(200)
    await client.answer(200, own_headers(call, EVENT_STREAM if call.is_stream else JSON), body)
    call.end(SUCCEEDED)
    return True


def _as_asked_for(call: Call, answer: CachedAnswer) -> bytes:
    wire, body = call.wire, answer.body
    if answer.is_event_stream and call.is_stream and wire.always_streams_usage:
        return body
    if answer.is_event_stream:
        body = wire.from_events(body, answer.usage)
    return wire.to_events(body, with_usage=call.wants_usage_event) if call.is_stream else body


def send_answer(call: Call, piece: AnswerPiece, client: Client) -> bool:
    """Send an answer that came in one piece, as `send_whole` does; `note_answered` is due once the client has it."""
    _note(call, piece)
    head = piece.head
    if head is None:
        raise GatewayError(GatewayErrorKind.INTERNAL, "ANSWER_HEADLESS", "no answer came; try again")
    if call.last_resort and head.status >= 500:
        return send_last_resort(call, client)
    call.begin_answer(head.status)
    return client.send_whole(head.status, gateway_headers(call, head.header_lines), piece.data)


def note_answered(call: Call, head: AnswerHead | None) -> None:
    """Note how the provider has answered in one piece."""
    if head and head.status < 300:
        call.end(SUCCEEDED)
    elif head:
        call.end(FAILED, f"UPSTREAM_STATUS_{head.status}")


class StreamDelivery:
    """A streamed answer on its way to the client and, as far as it is kept, to the cache."""

    __slots__ = ("_call", "_client", "_kept")

    def __init__(self, call: Call, client: Client, kept: Kept) -> None:
        self._call, self._client, self._kept = call, client, kept

    def hand_on(self, data: bytes, output_so_far: int, *, is_last: bool = False) -> bool:
        """Send what came of it; false: the client must be waited for."""
        call = self._call
        call.output_so_far = output_so_far
        call.last_sent = data
        self._kept.add(data)
        return self._client.send_last(data) if is_last else self._client.send(data)

    async def deliver(self, pieces: AsyncIterator[AnswerPiece]) -> None:
        """Send an answer as it comes. A stream that was cut ends in the dialect's error event, never as if whole."""
        call, client = self._call, self._client
        async for piece in pieces:
            if piece.head and piece.end:
                if not send_answer(call, piece, client):
                    await client.end()
                note_answered(call, piece.head)
                continue
            if not piece.output_so_far:  # else it runs on, and nothing else is new
                _note(call, piece)
            if piece.head:
                call.begin_answer(piece.head.status)
                await client.begin(piece.head.status, gateway_headers(call, piece.head.header_lines))
            output_so_far = piece.output_so_far or call.output_so_far
            if not (piece.data and self.hand_on(piece.data, output_so_far, is_last=piece.end is not None)):
                await client.drained()
            if piece.end:
                await _finish(call, piece.end, client)
        if call.status is RUNNING:
            raise GatewayError(GatewayErrorKind.INTERNAL, "STREAM_UNFINISHED", "the answer's end is missing; try again")


async def _finish(call: Call, end: AnswerEnd, client: Client) -> None:
    if end.is_complete:
        await client.end()
        call.end(SUCCEEDED)
        return
    call.end(FAILED, f"STREAM_{end.reason.upper()}")
    message = f"the provider's stream broke off ({end.reason}); the answer above is not complete, ask again"
    event = call.wire.error_event(GatewayErrorKind.INTERNAL, message, request_id_of(call), call.last_sent)
    if event:
        client.send_last(event)
    await client.end()


def _note(call: Call, piece: AnswerPiece) -> None:
    head, end, failure = piece.head, piece.end, piece.failure
    if piece.usage is not None:
        call.usage = piece.usage
        if call.output_so_far:
            call.output_so_far = 0
    if piece.attempts:
        call.attempts = piece.attempts
    if head:
        call.provider, call.model = head.provider, head.model
        if head.body_changes or head.fallback or head.dropped:
            call.body_changes, call.fallback, call.dropped = head.body_changes, head.fallback, head.dropped
    if end:
        call.stop_reason = end.stop_reason
        if end.provider:  # who took the stream on is who is paid
            call.provider, call.model = end.provider, end.model
    if failure:
        call.tried = (failure.provider, failure.model)
        kind = GatewayErrorKind.TIMEOUT if failure.reason == "UPSTREAM_TIMEOUT" else GatewayErrorKind.UNAVAILABLE
        raise GatewayError(kind, failure.reason, failure.message, failure.retry_after)
