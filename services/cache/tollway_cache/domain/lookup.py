"""Finds an answer; called by the servicer for every LookupAnswer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_servicekit.errors import InvalidRequest

from tollway_cache.domain.losses import Loss
from tollway_cache.domain.ports import AnswerUnreadable, StoreUnavailable

if TYPE_CHECKING:
    from tollway_cache.domain.answer import Answer
    from tollway_cache.domain.losses import Losses
    from tollway_cache.domain.ports import AnswerStore

KEY_BYTES = 32


async def look_up(partition: str, exact_key: bytes, *, store: AnswerStore[Any], losses: Losses) -> Answer | None:
    """Return the answer kept for this very prompt; whatever is wrong with the store is a miss."""
    check_address(partition, exact_key)
    try:
        answer = await store.get(partition, exact_key)
    except StoreUnavailable as error:
        losses.note(Loss.LOOKUP_FAILED, cause=error)
        return None
    except AnswerUnreadable as error:
        losses.note(Loss.ANSWER_UNREADABLE, cause=error)
        return None
    if answer is None:
        return None
    # the last line of defence against a store, proxy or driver that hands out somebody else's value
    if answer.partition != partition or answer.exact_key != exact_key:
        losses.note(Loss.ANSWER_FOREIGN)
        return None
    return answer


def check_address(partition: str, exact_key: bytes) -> None:
    """Raise InvalidRequest unless partition and key can name an answer."""
    if not partition:
        raise InvalidRequest("CACHE_PARTITION_MISSING", "partition is empty; name the workspace whose answer it is")
    if len(exact_key) != KEY_BYTES:
        raise InvalidRequest(
            "CACHE_KEY_INVALID", f"exact_key must be a SHA-256 of {KEY_BYTES} bytes, not of {len(exact_key)}"
        )
