"""The provider-dispatch service as the port `KeptAnswers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as pb
from tollway_servicekit.context import call_metadata
from tollway_servicekit.errors import ServiceError

from tollway_edge.adapters.dispatch_client import failure_from, head_from, translated
from tollway_edge.domain.answer import AnswerPiece
from tollway_edge.domain.errors import GatewayError, GatewayErrorKind

if TYPE_CHECKING:
    from tollway.provider_dispatch.v1.provider_dispatch_pb2_grpc import ProviderDispatchServiceAsyncStub

    from tollway_edge.domain.answer import KeptAnswerQuestion

ASK_SECONDS = 60.0


class KeptAnswersClient:
    """Asks whoever made the answer."""

    def __init__(self, stub: ProviderDispatchServiceAsyncStub) -> None:
        self._stub = stub

    async def ask(self, question: KeptAnswerQuestion) -> AnswerPiece:
        request = pb.AskKeptAnswerRequest(
            method=question.method,
            kept_answer_id=question.kept_id,
            below=question.below,
            query=question.query,
            header_lines=question.forwarded.lines,
        )
        try:
            response = await self._stub.AskKeptAnswer(
                request, timeout=ASK_SECONDS, metadata=call_metadata(question.workspace)
            )
        except ServiceError as error:
            if error.reason == "KEPT_ANSWER_UNKNOWN":
                raise GatewayError(GatewayErrorKind.NOT_FOUND, error.reason, error.message) from error
            raise translated(error) from error
        return AnswerPiece(
            head=head_from(response.head) if response.HasField("head") else None,
            data=response.body,
            failure=failure_from(response.failure) if response.HasField("failure") else None,
        )
