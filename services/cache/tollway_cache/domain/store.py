"""Keeps answers; called by the servicer for every StoreAnswers, and by topologies in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_servicekit.errors import InvalidRequest

from tollway_cache.domain.lookup import check_address
from tollway_cache.domain.losses import Loss
from tollway_cache.domain.ports import Packed, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from tollway_cache.domain.answer import Entry
    from tollway_cache.domain.losses import Losses
    from tollway_cache.domain.ports import AnswerStore

MAX_TTL_SECONDS = 365 * 86_400


async def store_answers(entries: Sequence[Entry], *, store: AnswerStore[Any], losses: Losses) -> int:
    """Keep all entries and return how many were kept; one bad entry refuses them all, an absent store drops them."""
    for entry in entries:
        _check(entry)
    return await _kept(store.put(entries), len(entries), losses) if entries else 0


def pack_answer(entry: Entry, *, store: AnswerStore[Packed]) -> Packed:
    """Return an entry as the store takes it, which may then wait for others; a bad one is refused."""
    _check(entry)
    return store.pack(entry)


async def store_packed(packed: Sequence[Packed], *, store: AnswerStore[Packed], losses: Losses) -> int:
    """Keep what was packed and return how many were kept; an absent store drops them."""
    return await _kept(store.put_packed(packed), len(packed), losses)


def _check(entry: Entry) -> None:
    check_address(entry.answer.partition, entry.answer.exact_key)
    if not 0 < entry.ttl_seconds <= MAX_TTL_SECONDS:
        raise InvalidRequest(
            "CACHE_TTL_INVALID", f"ttl_seconds must be from 1 to {MAX_TTL_SECONDS}, not {entry.ttl_seconds}"
        )


async def _kept(putting: Awaitable[int], count: int, losses: Losses) -> int:
    try:
        return await putting
    except StoreUnavailable as error:
        losses.note(Loss.ANSWER_DROPPED, count, cause=error)
        return 0
