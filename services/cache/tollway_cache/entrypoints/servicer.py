"""CacheService: contract messages to domain values and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway.cache.v1 import cache_pb2
from tollway.chat.v1 import chat_pb2
from tollway_dialects.dialect import Dialect
from tollway_dialects.usage import Usage
from tollway_servicekit.contract import Contract
from tollway_servicekit.errors import InvalidRequest

from tollway_cache.domain.answer import Answer, Entry
from tollway_cache.domain.lookup import look_up
from tollway_cache.domain.store import store_answers

if TYPE_CHECKING:
    from tollway_servicekit.context import CallContext

    from tollway_cache.domain.losses import Losses
    from tollway_cache.domain.ports import AnswerStore

CONTRACT = Contract.of(cache_pb2, "CacheService")

_TO_WIRE = {
    Dialect.ANTHROPIC_MESSAGES: chat_pb2.DIALECT_ANTHROPIC_MESSAGES,
    Dialect.OPENAI_CHAT: chat_pb2.DIALECT_OPENAI_CHAT,
}
_FROM_WIRE = {wire: dialect for dialect, wire in _TO_WIRE.items()}


class CacheServicer:
    """Serves CacheService from one store."""

    def __init__(self, store: AnswerStore, losses: Losses, exact_ttl: int) -> None:
        self._store = store
        self._losses = losses
        self._exact_ttl = exact_ttl

    async def LookupAnswer(
        self, request: cache_pb2.LookupAnswerRequest, context: CallContext
    ) -> cache_pb2.LookupAnswerResponse:
        answer = await look_up(request.partition, request.exact_key, store=self._store, losses=self._losses)
        if answer is None:
            return cache_pb2.LookupAnswerResponse(hit=cache_pb2.CACHE_HIT_NONE)
        return cache_pb2.LookupAnswerResponse(hit=cache_pb2.CACHE_HIT_EXACT, answer=_to_wire(answer))

    async def StoreAnswers(
        self, request: cache_pb2.StoreAnswersRequest, context: CallContext
    ) -> cache_pb2.StoreAnswersResponse:
        entries = [Entry(_from_wire(entry), entry.ttl_seconds or self._exact_ttl) for entry in request.entries]
        stored = await store_answers(entries, store=self._store, losses=self._losses)
        return cache_pb2.StoreAnswersResponse(stored_count=stored)


def _to_wire(answer: Answer) -> cache_pb2.StoredAnswer:
    usage = answer.usage
    return cache_pb2.StoredAnswer(
        partition=answer.partition,
        dialect=_TO_WIRE[answer.dialect],
        provider=answer.provider,
        model=answer.model,
        tier=answer.tier,
        usage=chat_pb2.Usage(
            uncached_input_tokens=usage.uncached_input,
            cache_write_short_tokens=usage.cache_write_short,
            cache_write_long_tokens=usage.cache_write_long,
            cache_read_tokens=usage.cache_read,
            output_tokens=usage.output,
            reasoning_tokens=usage.reasoning,
            estimated=usage.is_estimated,
        ),
        cost_micro_usd=answer.cost_micro_usd,
        body=answer.body,
        is_event_stream=answer.is_event_stream,
    )


def _from_wire(entry: cache_pb2.CacheEntry) -> Answer:
    stored, usage = entry.answer, entry.answer.usage
    dialect = _FROM_WIRE.get(stored.dialect)
    if dialect is None:
        raise InvalidRequest("CACHE_DIALECT_UNKNOWN", f"dialect {stored.dialect} has no name; send a known one")
    return Answer(
        partition=stored.partition,
        exact_key=entry.exact_key,
        dialect=dialect,
        provider=stored.provider,
        model=stored.model,
        tier=stored.tier,
        usage=Usage(
            uncached_input=usage.uncached_input_tokens,
            cache_write_short=usage.cache_write_short_tokens,
            cache_write_long=usage.cache_write_long_tokens,
            cache_read=usage.cache_read_tokens,
            output=usage.output_tokens,
            reasoning=usage.reasoning_tokens,
            is_estimated=usage.estimated,
        ),
        cost_micro_usd=stored.cost_micro_usd,
        body=stored.body,
        is_event_stream=stored.is_event_stream,
    )
