"""The cache service as the pipeline's `AnswerCache`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from tollway.cache.v1 import cache_pb2
from tollway_dialects.messages import DIALECT_NUMBERS, usage_from, usage_to
from tollway_servicekit.context import call_metadata
from tollway_servicekit.errors import ServiceError

from tollway_edge.adapters.batches import Batches
from tollway_edge.domain.answer import CachedAnswer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tollway.cache.v1.cache_pb2_grpc import CacheServiceAsyncStub

    from tollway_edge.domain.call import Call

Item = TypeVar("Item")

log = logging.getLogger(__name__)

LOOK_UP_SECONDS = 0.5
STORE_SECONDS = 5.0
# answers that are kept together share an RPC
STORE_AFTER_SECONDS = 0.1
MOST_PER_BATCH = 32
# a message is copied a few times on its way; one answer may be larger
MOST_BYTES_PER_BATCH = 512 * 1024
_LAYERS = {cache_pb2.CACHE_HIT_EXACT: "exact", cache_pb2.CACHE_HIT_SEMANTIC: "semantic"}


def answer_writes(
    send: Callable[[list[Item]], Awaitable[None]], size_of: Callable[[Item], int], most_bytes: int
) -> Batches[Item]:
    """Return what collects answers until they are stored, holding at most so many bytes of them."""
    return Batches(
        "cache writes",
        send,
        interval=STORE_AFTER_SECONDS,
        most_per_batch=MOST_PER_BATCH,
        most_waiting=2_000,
        size_of=size_of,
        most_bytes_per_batch=MOST_BYTES_PER_BATCH,
        most_bytes=most_bytes,
    )


class CacheClient:
    """
    Looks up at once, stores in batches.

    Args:
        stub: cache.
        most_bytes: What answers may hold that are not stored yet.
    """

    def __init__(self, stub: CacheServiceAsyncStub, most_bytes: int) -> None:
        self._stub = stub
        self.writes: Batches[cache_pb2.CacheEntry] = answer_writes(
            self._send, lambda entry: len(entry.answer.body), most_bytes
        )

    async def look_up(self, call: Call) -> CachedAnswer | None:
        workspace = call.workspace.name if call.workspace else ""
        request = cache_pb2.LookupAnswerRequest(partition=workspace, exact_key=call.exact_key)
        metadata = call_metadata(workspace, call.traceparent)
        try:
            response = await self._stub.LookupAnswer(request, timeout=LOOK_UP_SECONDS, metadata=metadata)
        except ServiceError as error:
            log.warning("the cache did not answer, going on without it (%s)", error.reason)
            return None
        layer = _LAYERS.get(response.hit)
        answer = response.answer
        # compared here once more: no answer crosses a workspace, whatever the store holds
        if layer is None or answer.partition != workspace or answer.dialect != DIALECT_NUMBERS[call.dialect]:
            return None
        return CachedAnswer(
            body=answer.body,
            provider=answer.provider,
            model=answer.model,
            tier=answer.tier,
            usage=usage_from(answer.usage),
            cost_micro_usd=answer.cost_micro_usd,
            layer=layer,
            is_event_stream=answer.is_event_stream,
        )

    def store(self, call: Call, body: bytes, cost_micro_usd: int) -> None:
        answer = cache_pb2.StoredAnswer(
            partition=call.workspace.name if call.workspace else "",
            dialect=DIALECT_NUMBERS[call.dialect],
            provider=call.provider,
            model=call.model,
            tier=call.tier,
            usage=usage_to(call.usage),
            cost_micro_usd=cost_micro_usd,
            body=body,
            is_event_stream=call.is_stream,
        )
        self.writes.add(cache_pb2.CacheEntry(exact_key=call.exact_key, answer=answer))

    async def _send(self, entries: list[cache_pb2.CacheEntry]) -> None:
        await self._stub.StoreAnswers(cache_pb2.StoreAnswersRequest(entries=entries), timeout=STORE_SECONDS)
