"""Keeps answers; called by the servicer for every request to store some, and by topologies in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_servicekit.errors import InvalidRequest

from tollway_cache.domain.lookup import check_address
from tollway_cache.domain.losses import Loss
from tollway_cache.domain.ports import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tollway_cache.domain.answer import Entry
    from tollway_cache.domain.losses import Losses
    from tollway_cache.domain.ports import AnswerStore

MAX_TTL_SECONDS = 365 * 86_400


async def store_answers(entries: Sequence[Entry], *, store: AnswerStore, losses: Losses) -> int:
    """Keep all entries and return how many were kept; one bad entry refuses them all, an absent store drops them."""
    for entry in entries:
        _check(entry)
    try:
        return await store.put(entries) if entries else 0
    except StoreUnavailable as error:
        losses.note(Loss.ANSWER_DROPPED, len(entries), cause=error)
        return 0


def _check(entry: Entry) -> None:
    check_address(entry.partition, entry.exact_key)
    if not 0 < entry.ttl_seconds <= MAX_TTL_SECONDS:
        raise InvalidRequest(
            "CACHE_TTL_INVALID", f"ttl_seconds must be from 1 to {MAX_TTL_SECONDS}, not {entry.ttl_seconds}"
        )
