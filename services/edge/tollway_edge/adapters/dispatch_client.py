"""The provider-dispatch service as the pipeline's `Dispatch`."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tollway.chat.v1 import chat_pb2
from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as pb
from tollway_dialects.messages import DIALECT_NUMBERS, usage_from
from tollway_servicekit.context import call_metadata
from tollway_servicekit.errors import DeadlineExceeded, NotFound, ServiceError
from tollway_servicekit.link.frames import LONG_BYTES
from tollway_servicekit.stubs import LongRequest, responses

from tollway_edge.adapters.told_headers import told_headers
from tollway_edge.domain.answer import AnswerEnd, AnswerFailure, AnswerHead, AnswerPiece
from tollway_edge.domain.errors import GatewayError, GatewayErrorKind

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence

    from tollway.provider_dispatch.v1.provider_dispatch_pb2_grpc import ProviderDispatchServiceAsyncStub

    from tollway_edge.domain.call import Call

_BODY = (pb.CompleteChatRequest.CALL_FIELD_NUMBER, pb.ChatCall.BODY_FIELD_NUMBER)
"""Of either request."""


class DispatchClient:
    """
    Sends calls on.

    Args:
        stub: provider-dispatch.
        timeout: Seconds that a whole call may take.
    """

    def __init__(self, stub: ProviderDispatchServiceAsyncStub, timeout: float) -> None:
        self._stub = stub
        self._timeout = timeout

    async def complete(self, call: Call) -> AnswerPiece:
        request = _request(pb.CompleteChatRequest(), call)
        try:
            response = await self._stub.CompleteChat(request, timeout=self._timeout, metadata=_metadata(call))
        except ServiceError as error:
            raise translated(error) from error
        return AnswerPiece(
            head=head_from(response.head) if response.HasField("head") else None,
            data=response.body,
            usage=usage_from(response.usage) if response.HasField("usage") else None,
            end=AnswerEnd(is_complete=True, stop_reason=response.stop_reason),
            failure=failure_from(response.failure, response.attempts) if response.HasField("failure") else None,
            attempts=response.attempts[:],  # a list: an index or a loop costs more on the repeated field itself
        )

    @asynccontextmanager
    async def stream(
        self, call: Call, hand_on: Callable[[bytes, int], bool]
    ) -> AsyncIterator[AsyncIterator[AnswerPiece]]:
        request = _request(pb.StreamChatRequest(), call)
        async with responses(
            self._stub.StreamChat(request, timeout=self._timeout, metadata=_metadata(call))
        ) as messages:
            yield _pieces(messages, hand_on)


async def _pieces(
    messages: AsyncGenerator[pb.StreamChatResponse, None], hand_on: Callable[[bytes, int], bool]
) -> AsyncIterator[AnswerPiece]:
    try:
        async for message in messages:
            if message.output_tokens_so_far and message.data:
                is_taken = hand_on(message.data, message.output_tokens_so_far)
                del message  # a client that does not read would hold it, and the data in it, for nothing
                if not is_taken:
                    yield AnswerPiece()
                continue
            yield AnswerPiece(
                head=head_from(message.head) if message.HasField("head") else None,
                data=message.data,
                usage=usage_from(message.usage) if message.HasField("usage") else None,
                end=_end_from(message.end) if message.HasField("end") else None,
                failure=failure_from(message.failure, message.attempts) if message.HasField("failure") else None,
                attempts=message.attempts[:],
            )
    except ServiceError as error:
        raise translated(error) from error


def _metadata(call: Call) -> tuple[tuple[str, str], ...]:
    return call_metadata(call.workspace.name if call.workspace else "", call.traceparent)


def _request(request: Any, call: Call) -> Any:
    """Write a call into its request; a long body stays beside it: a link copies one of that size nowhere."""
    _fill(request.call, call)
    body = call.body.raw if call.body else b""
    if len(body) > LONG_BYTES:
        return LongRequest(request, _BODY, body)
    request.call.body = body
    return request


def _fill(message: pb.ChatCall, call: Call) -> None:
    """Write all but the body into a message that is part of another already."""
    message.call_id = call.call_id
    message.dialect = DIALECT_NUMBERS[call.dialect]
    message.models.extend(call.models)
    message.header_lines = call.forwarded.lines
    message.body_model = call.requested_model
    if call.query:
        message.query = call.query
    if call.conversation_id:
        message.conversation = call.conversation_id.encode()
    if call.strips_usage_event:
        message.strip_usage_event = True
    if call.thinks():
        message.thinks = True
    if call.kept_answer_id:
        message.kept_answer_id = call.kept_answer_id
    if call.is_kept:
        message.is_kept = True


def head_from(head: pb.AnswerHead) -> AnswerHead:
    lines = told_headers(head.header_lines)
    return AnswerHead(head.status, lines, head.provider, head.model, head.body_changes, head.fallback, head.dropped)


def _end_from(end: pb.StreamEnd) -> AnswerEnd:
    return AnswerEnd(end.is_complete, end.reason, end.stop_reason, end.provider, end.model)


def failure_from(failure: pb.Failure, attempts: Sequence[chat_pb2.Attempt] = ()) -> AnswerFailure:
    retry_after = failure.retry_after_ms / 1000 if failure.retry_after_ms else None
    tried = attempts[-1] if attempts else chat_pb2.Attempt()
    return AnswerFailure(failure.reason, failure.message, retry_after, tried.provider, tried.model)


def translated(error: ServiceError) -> GatewayError:
    if error.reason == "KEPT_ANSWER_UNKNOWN":
        return GatewayError(GatewayErrorKind.PREVIOUS_NOT_FOUND, error.reason, f"Previous r{error.message[1:]}")
    if isinstance(error, NotFound):
        return GatewayError(GatewayErrorKind.MODEL_NOT_FOUND, error.reason, error.message)
    if isinstance(error, DeadlineExceeded):
        return GatewayError(GatewayErrorKind.TIMEOUT, error.reason, "the call took too long; try again", 1)
    if error.reason == "ACCOUNTS_UNAVAILABLE":
        return GatewayError(GatewayErrorKind.UNAVAILABLE, error.reason, error.message, retry_after=2)
    if error.reason == "NO_PROVIDER":
        return GatewayError(GatewayErrorKind.UNAVAILABLE, error.reason, error.message)
    message = f"provider-dispatch cannot serve it now ({error.reason}); try again in a moment"
    return GatewayError(GatewayErrorKind.UNAVAILABLE, error.reason, message, retry_after=2)
