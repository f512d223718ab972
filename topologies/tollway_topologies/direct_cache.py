"""The cache service as the pipeline's `AnswerCache` in one process, without messages between the two (ADR-0011)."""

from __future__ import annotations

import logging
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from tollway_cache.domain.answer import Answer, Entry
from tollway_cache.domain.lookup import look_up
from tollway_cache.domain.store import pack_answer, store_packed
from tollway_edge.adapters.cache_client import answer_writes
from tollway_edge.domain.answer import CachedAnswer
from tollway_servicekit.errors import ServiceError

if TYPE_CHECKING:
    from tollway_cache.domain.losses import Losses
    from tollway_cache.domain.ports import AnswerStore
    from tollway_edge.adapters.batches import SizedBatches
    from tollway_edge.domain.call import Call

log = logging.getLogger(__name__)


class DirectAnswerCache:
    """
    Looks up at once, stores in batches.

    Args:
        store: Where answers are; it bounds how long it may take.
        losses: What it could not do.
        exact_ttl: Seconds for which an answer is kept.
        most_bytes: What answers may hold that are not stored yet.
    """

    def __init__(self, store: AnswerStore[Any], losses: Losses, exact_ttl: int, most_bytes: int) -> None:
        self._store = store
        self._losses = losses
        self._exact_ttl = exact_ttl
        # packed at once, while what it is made of is at hand: waiting costs memory and finding it again
        self.writes: SizedBatches[tuple[Any, int]] = answer_writes(self._send, itemgetter(1), most_bytes)

    async def look_up(self, call: Call) -> CachedAnswer | None:
        workspace = call.workspace.name if call.workspace else ""
        try:
            answer = await look_up(workspace, call.exact_key, store=self._store, losses=self._losses)
        except ServiceError as error:
            log.warning("the cache did not answer, going on without it (%s)", error.reason)
            return None
        if answer is None or answer.dialect is not call.dialect:
            return None
        return CachedAnswer(
            answer.body,
            answer.provider,
            answer.model,
            answer.tier,
            answer.usage,
            answer.cost_micro_usd,
            "exact",
            answer.is_event_stream,
        )

    def store(self, call: Call, body: bytes, cost_micro_usd: int) -> None:
        answer = Answer(
            partition=call.workspace.name if call.workspace else "",
            exact_key=call.exact_key,
            dialect=call.dialect,
            provider=call.provider,
            model=call.model,
            tier=call.tier,
            usage=call.usage,
            cost_micro_usd=cost_micro_usd,
            body=body,
            is_event_stream=call.is_stream,
        )
        try:
            packed = pack_answer(Entry(answer, self._exact_ttl), store=self._store)
        except Exception as error:  # what no store can hold, such as a number that a provider made up
            log.error("an answer cannot be stored (%s)", type(error).__name__)
            self.writes.dropped += 1
        else:
            self.writes.add((packed, len(body)))

    async def _send(self, waiting: list[tuple[Any, int]]) -> None:
        await store_packed([packed for packed, _ in waiting], store=self._store, losses=self._losses)
