"""CacheService: contract messages to domain values and back."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from tollway.cache.v1 import cache_pb2
from tollway_dialects.messages import DIALECT_NUMBERS, DIALECTS, usage_from, write_usage
from tollway_dialects.stored_answer import StoredAnswer, pack
from tollway_servicekit.contract import Contract
from tollway_servicekit.errors import InvalidRequest, Unavailable

from tollway_cache.domain.answer import Entry
from tollway_cache.domain.lookup import look_up, look_up_all
from tollway_cache.domain.ports import StoreUnavailable
from tollway_cache.domain.store import store_answers
from tollway_cache.domain.watches import Watches

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tollway_servicekit.context import CallContext

    from tollway_cache.domain.losses import Losses
    from tollway_cache.domain.ports import AnswerStore

CONTRACT = Contract.of(cache_pb2, "CacheService")

MOST_TOGETHER_BYTES = 512 * 1024
"""Of the answers that are found at once; those beyond are asked for alone, where one may be as large as it is."""


class CacheServicer:
    """Serves CacheService from one store."""

    def __init__(self, store: AnswerStore, losses: Losses, exact_ttl: int) -> None:
        self.store = store
        self.losses = losses
        self.exact_ttl = exact_ttl
        self._watches = Watches()

    async def LookupAnswer(
        self, request: cache_pb2.LookupAnswerRequest, context: CallContext
    ) -> cache_pb2.LookupAnswerResponse:
        answer = await look_up(request.partition, request.exact_key, store=self.store, losses=self.losses)
        if answer is None:
            return cache_pb2.LookupAnswerResponse(hit=cache_pb2.CACHE_HIT_NONE)
        response = cache_pb2.LookupAnswerResponse(hit=cache_pb2.CACHE_HIT_EXACT)
        _write(answer, response.answer)
        return response

    async def LookupAnswers(
        self, request: cache_pb2.LookupAnswersRequest, context: CallContext
    ) -> cache_pb2.LookupAnswersResponse:
        response, room = cache_pb2.LookupAnswersResponse(), MOST_TOGETHER_BYTES
        answers = await look_up_all(request.partition, request.exact_keys[:], store=self.store, losses=self.losses)
        for place, answer in enumerate(answers):
            if answer is not None:
                found = response.found.add(place=place)
                if len(answer.body) <= room:
                    room -= len(answer.body)
                    _write(answer, found.answer)
        return response

    async def StoreAnswers(
        self, request: cache_pb2.StoreAnswersRequest, context: CallContext
    ) -> cache_pb2.StoreAnswersResponse:
        entries = [
            Entry(entry.answer.partition, entry.exact_key, pack(_from_wire(entry)), entry.ttl_seconds or self.exact_ttl)
            for entry in request.entries
        ]
        stored = await store_answers(entries, store=self.store, losses=self.losses)
        return cache_pb2.StoreAnswersResponse(stored_count=stored)

    async def StorePackedAnswers(
        self, request: cache_pb2.StorePackedAnswersRequest, context: CallContext
    ) -> cache_pb2.StorePackedAnswersResponse:
        columns = request.partitions[:], request.exact_keys[:], request.packed_answers[:]
        if len({len(column) for column in columns}) > 1:
            raise InvalidRequest("CACHE_ENTRIES_UNEVEN", "partitions, exact_keys and packed_answers differ in number")
        entries = [Entry(*values, self.exact_ttl) for values in zip(*columns, strict=True)]
        stored = await store_answers(entries, store=self.store, losses=self.losses)
        return cache_pb2.StorePackedAnswersResponse(stored_count=stored)

    async def WatchStoredKeys(
        self, request: cache_pb2.WatchStoredKeysRequest, context: CallContext
    ) -> AsyncGenerator[cache_pb2.WatchStoredKeysResponse, None]:
        try:
            async with aclosing(self._watches.each(self.store.watch_keys())) as watch:
                async for news in watch:
                    yield cache_pb2.WatchStoredKeysResponse(
                        exact_keys=news.exact_keys, is_whole=news.is_whole, expected_keys=news.expected_keys
                    )
        except StoreUnavailable as error:
            raise Unavailable("CACHE_KEYS_UNTOLD", str(error)) from error

    def end_watches(self) -> None:
        """End open watches; called before the server stops, which would wait for them."""
        self._watches.end()


def _write(answer: StoredAnswer, message: cache_pb2.StoredAnswer) -> None:
    """Write an answer into a message that is part of another: one that is passed in is copied twice with its body."""
    message.partition = answer.partition
    message.dialect = DIALECT_NUMBERS[answer.dialect]
    message.provider = answer.provider
    message.model = answer.model
    message.tier = answer.tier
    write_usage(answer.usage, message.usage)
    message.cost_micro_usd = answer.cost_micro_usd
    message.body = answer.body
    message.is_event_stream = answer.is_event_stream


def _from_wire(entry: cache_pb2.CacheEntry) -> StoredAnswer:
    stored = entry.answer
    dialect = DIALECTS.get(stored.dialect)
    if dialect is None:
        raise InvalidRequest("CACHE_DIALECT_UNKNOWN", f"dialect {stored.dialect} has no name; send a known one")
    return StoredAnswer(
        partition=stored.partition,
        exact_key=entry.exact_key,
        dialect=dialect,
        provider=stored.provider,
        model=stored.model,
        tier=stored.tier,
        usage=usage_from(stored.usage),
        cost_micro_usd=stored.cost_micro_usd,
        body=stored.body,
        is_event_stream=stored.is_event_stream,
    )
