"""Calls, attempts and pieces as protobuf messages; used by the servicer alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway.chat.v1 import chat_pb2
from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as pb
from tollway_dialects.messages import DIALECTS, write_usage
from tollway_servicekit.errors import InvalidRequest

from tollway_provider_dispatch.domain.call import (
    ChatCall,
    End,
    Head,
    KeptAnswerRequest,
    Outcome,
    Piece,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_servicekit.context import CallContext

    from tollway_provider_dispatch.domain.trying.running import HandOn

_OUTCOMES = {
    Outcome.RUNNING: chat_pb2.ATTEMPT_OUTCOME_UNSPECIFIED,
    Outcome.SUCCEEDED: chat_pb2.ATTEMPT_OUTCOME_SUCCEEDED,
    Outcome.REFUSED: chat_pb2.ATTEMPT_OUTCOME_REFUSED,
    Outcome.BROKEN: chat_pb2.ATTEMPT_OUTCOME_BROKEN,
}


def call_from(message: pb.ChatCall, context: CallContext) -> ChatCall:
    dialect = DIALECTS.get(message.dialect)
    models = message.models[:]  # a list: a loop over the repeated field itself costs more
    if dialect is None or not models:
        raise InvalidRequest("CALL_INCOMPLETE", "a call needs a dialect and at least one model")
    return ChatCall(
        call_id=message.call_id,
        dialect=dialect,
        models=models,
        body=message.body if context.beside is None else context.beside,
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
    response = pb.AskKeptAnswerResponse(body=piece.data)
    _write_beginning(piece, response)
    return response


def whole_to(piece: Piece) -> pb.CompleteChatResponse:
    response = pb.CompleteChatResponse(body=piece.data)
    _write_beginning(piece, response)
    _write_usage(piece, response)
    if piece.end is not None:
        response.stop_reason = piece.end.stop_reason
    return response


def piece_to(piece: Piece) -> pb.StreamChatResponse:
    if piece.output_so_far:
        return pb.StreamChatResponse(data=piece.data, output_tokens_so_far=piece.output_so_far)
    response = pb.StreamChatResponse(data=piece.data)
    _write_beginning(piece, response)
    _write_usage(piece, response)
    if piece.end is not None:
        _write_end(piece.end, response.end)
    return response


def events_to(hand_on: Callable[[pb.StreamChatResponse], bool] | None) -> HandOn | None:
    """Return what hands events on as messages, where messages can be handed on."""
    if hand_on is None:
        return None
    return lambda data, output_so_far: hand_on(pb.StreamChatResponse(data=data, output_tokens_so_far=output_so_far))


# Parts are written where they are: one that is passed in is serialised and parsed to get there.


def _write_beginning(
    piece: Piece, message: pb.AskKeptAnswerResponse | pb.CompleteChatResponse | pb.StreamChatResponse
) -> None:
    if piece.head is not None:
        _write_head(piece.head, message.head)
    if piece.failure is not None:
        failure = message.failure
        failure.reason = piece.failure.reason
        failure.message = piece.failure.message
        failure.retry_after_ms = piece.failure.retry_after_ms


def _write_head(head: Head, message: pb.AnswerHead) -> None:
    message.status = head.status
    message.header_lines = head.header_lines
    message.provider = head.provider
    message.model = head.model
    if head.body_changes:
        message.body_changes.extend(head.body_changes)
    if head.fallback:
        message.fallback = head.fallback
    if head.dropped:
        message.dropped.extend(head.dropped)


def _write_usage(piece: Piece, message: pb.CompleteChatResponse | pb.StreamChatResponse) -> None:
    """Write what was used in all, and by each attempt."""
    if piece.usage is not None:
        write_usage(piece.usage, message.usage)
    for attempt in piece.attempts:
        row = message.attempts.add()
        row.number = attempt.number
        row.provider = attempt.provider
        row.model = attempt.model
        row.key_fingerprint = attempt.key_fingerprint
        row.http_status = attempt.http_status
        row.outcome = _OUTCOMES[attempt.outcome]
        row.started_unix_ms = attempt.started_unix_ms
        row.duration_ms = attempt.duration_ms
        if attempt.reason:
            row.reason = attempt.reason
        write_usage(attempt.usage, row.usage)


def _write_end(end: End, message: pb.StreamEnd) -> None:
    message.is_complete = end.is_complete
    message.reason = end.reason
    message.stop_reason = end.stop_reason
    message.provider = end.provider
    message.model = end.model
