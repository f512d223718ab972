"""The cache service as the pipeline's `AnswerCache` in one process, without messages between the two (ADR-0011)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tollway_cache.domain.answer import Entry
from tollway_cache.domain.lookup import look_up
from tollway_cache.domain.store import store_answers
from tollway_edge.adapters.answer_writer import AnswerWriter
from tollway_edge.domain.answer import CachedAnswer
from tollway_servicekit.errors import ServiceError

if TYPE_CHECKING:
    from tollway_cache.domain.losses import Losses
    from tollway_cache.domain.ports import AnswerStore
    from tollway_edge.adapters.answer_writer import Write
    from tollway_edge.adapters.stored_keys import StoredKeys
    from tollway_edge.domain.call import Call

log = logging.getLogger(__name__)


class DirectAnswerCache(AnswerWriter):
    """
    Looks up at once, stores in batches.

    Args:
        store: Where answers are; it bounds how long it may take.
        losses: What it could not do.
        exact_ttl: Seconds for which an answer is kept.
        stored_keys: Which keys may have an answer.
        most_bytes: What answers may hold that are not stored yet.
    """

    def __init__(
        self, store: AnswerStore, losses: Losses, exact_ttl: int, stored_keys: StoredKeys, most_bytes: int
    ) -> None:
        self._store = store
        self._losses = losses
        self._exact_ttl = exact_ttl
        super().__init__(stored_keys, most_bytes)

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

    async def _send(self, writes: list[Write]) -> None:
        entries = [Entry(*write, self._exact_ttl) for write in writes]
        await store_answers(entries, store=self._store, losses=self._losses)
