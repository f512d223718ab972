"""ProviderDispatchService: translates messages to calls and answers to messages."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as pb
from tollway_dialects.messages import DIALECT_NUMBERS
from tollway_servicekit.contract import Contract

from tollway_provider_dispatch.entrypoints.messages import (
    call_from,
    events_to,
    kept_answer_request_from,
    kept_answer_to,
    piece_to,
    whole_to,
)
from tollway_provider_dispatch.entrypoints.providers import providers_to

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tollway_servicekit.context import CallContext

    from tollway_provider_dispatch.domain.dispatch import Dispatcher

_BODY = (pb.CompleteChatRequest.CALL_FIELD_NUMBER, pb.ChatCall.BODY_FIELD_NUMBER)
LONG_FIELDS = {"CompleteChat": _BODY, "StreamChat": _BODY}
CONTRACT = Contract.of(pb, "ProviderDispatchService", LONG_FIELDS)


class ProviderDispatchServicer:
    """Serves `ProviderDispatchService`."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher

    async def CompleteChat(self, request: pb.CompleteChatRequest, context: CallContext) -> pb.CompleteChatResponse:
        return whole_to(await self.dispatcher.complete(call_from(request.call, context)))

    async def StreamChat(
        self, request: pb.StreamChatRequest, context: CallContext
    ) -> AsyncGenerator[pb.StreamChatResponse, None]:
        call, hand_on = call_from(request.call, context), events_to(context.hand_on)
        async with aclosing(self.dispatcher.stream(call, hand_on)) as pieces:
            async for piece in pieces:
                yield piece_to(piece)

    async def AskKeptAnswer(self, request: pb.AskKeptAnswerRequest, context: CallContext) -> pb.AskKeptAnswerResponse:
        asked = kept_answer_request_from(request, context.workspace)
        return kept_answer_to(await self.dispatcher.kept_answers.ask(asked))

    async def ListProviders(self, request: pb.ListProvidersRequest, context: CallContext) -> pb.ListProvidersResponse:
        return providers_to(self.dispatcher)

    async def ListModels(self, request: pb.ListModelsRequest, context: CallContext) -> pb.ListModelsResponse:
        chain = self.dispatcher.chain
        models = [
            pb.ServedModel(name=name, provider=provider.name, dialects=[DIALECT_NUMBERS[each] for each in dialects])
            for name, provider, dialects in chain.served()
        ]
        return pb.ListModelsResponse(models=models, providers=chain.provider_names)
