"""Calls, attempts and pieces as protobuf messages; used by the servicer alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway.chat.v1 import chat_pb2
from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as pb
from tollway_dialects.messages import DIALECTS, usage_to
from tollway_servicekit.errors import InvalidRequest

from tollway_provider_dispatch.domain.call import (
    Attempt,
    ChatCall,
    End,
    Failure,
    Head,
    KeptAnswerRequest,
    Outcome,
    Piece,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tollway_servicekit.context import CallContext

    from tollway_provider_dispatch.domain.trying.running import HandOn

_OUTCOMES = {
    Outcome.RUNNING: chat_pb2.ATTEMPT_OUTCOME_UNSPECIFIED,
    Outcome.SUCCEEDED: chat_pb2.ATTEMPT_OUTCOME_SUCCEEDED,
    Outcome.REFUSED: chat_pb2.ATTEMPT_OUTCOME_REFUSED,
    Outcome.BROKEN: chat_pb2.ATTEMPT_OUTCOME_BROKEN,
}


def call_from(message: pb.ChatCall, context: CallContext) -> ChatCall:
    if message.dialect not in DIALECTS or not message.models:
        raise InvalidRequest("CALL_INCOMPLETE", "a call needs a dialect and at least one model")
    return ChatCall(
        call_id=message.call_id,
        dialect=DIALECTS[message.dialect],
        models=message.models,
        body=message.body,
        body_model=message.body_model,
        header_lines=message.header_lines,
        query=message.query,
        conversation=message.conversation,
        strip_usage_event=message.strip_usage_event,
        workspace=context.workspace,
        thinks=message.thinks,
        deadline=context.deadline,
        kept_answer_id=message.kept_answer_id,
        is_kept=message.is_kept,
    )


def kept_answer_request_from(message: pb.AskKeptAnswerRequest, workspace: str) -> KeptAnswerRequest:
    if not message.method or not message.kept_answer_id:
        raise InvalidRequest("CALL_INCOMPLETE", "a method and the answer's id are needed")
    return KeptAnswerRequest(
        message.method, message.kept_answer_id, message.below, message.query, message.header_lines, workspace
    )


def kept_answer_to(piece: Piece) -> pb.AskKeptAnswerResponse:
    return pb.AskKeptAnswerResponse(head=_head_to(piece.head), body=piece.data, failure=_failure_to(piece.failure))


def attempts_to(attempts: Iterable[Attempt]) -> list[chat_pb2.Attempt]:
    return [
        chat_pb2.Attempt(
            number=attempt.number,
            provider=attempt.provider,
            model=attempt.model,
            key_fingerprint=attempt.key_fingerprint,
            http_status=attempt.http_status,
            outcome=_OUTCOMES[attempt.outcome],
            reason=attempt.reason,
            usage=usage_to(attempt.usage),
            started_unix_ms=attempt.started_unix_ms,
            duration_ms=attempt.duration_ms,
        )
        for attempt in attempts
    ]


def whole_to(piece: Piece) -> pb.CompleteChatResponse:
    return pb.CompleteChatResponse(
        head=_head_to(piece.head),
        body=piece.data,
        usage=usage_to(piece.usage) if piece.usage else None,
        attempts=attempts_to(piece.attempts),
        failure=_failure_to(piece.failure),
        stop_reason=piece.end.stop_reason if piece.end else "",
    )


def piece_to(piece: Piece) -> pb.StreamChatResponse:
    if piece.output_so_far:
        return pb.StreamChatResponse(data=piece.data, output_tokens_so_far=piece.output_so_far)
    return pb.StreamChatResponse(
        head=_head_to(piece.head),
        data=piece.data,
        usage=usage_to(piece.usage) if piece.usage else None,
        end=_end_to(piece.end),
        failure=_failure_to(piece.failure),
        attempts=attempts_to(piece.attempts),
    )


def events_to(hand_on: Callable[[pb.StreamChatResponse], bool] | None) -> HandOn | None:
    """Return what hands events on as messages, where messages can be handed on."""
    if hand_on is None:
        return None
    return lambda data, output_so_far: hand_on(pb.StreamChatResponse(data=data, output_tokens_so_far=output_so_far))


def _head_to(head: Head | None) -> pb.AnswerHead | None:
    if head is None:
        return None
    return pb.AnswerHead(
        status=head.status,
        header_lines=head.header_lines,
        provider=head.provider,
        model=head.model,
        body_changes=head.body_changes,
        fallback=head.fallback,
        dropped=head.dropped,
    )


def _end_to(end: End | None) -> pb.StreamEnd | None:
    if end is None:
        return None
    return pb.StreamEnd(
        is_complete=end.is_complete,
        reason=end.reason,
        stop_reason=end.stop_reason,
        provider=end.provider,
        model=end.model,
    )


def _failure_to(failure: Failure | None) -> pb.Failure | None:
    if failure is None:
        return None
    return pb.Failure(reason=failure.reason, message=failure.message, retry_after_ms=failure.retry_after_ms)
