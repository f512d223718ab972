"""Finds answers; called by the servicer for every LookupAnswer and LookupAnswers, and by topologies in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_servicekit.errors import InvalidRequest

from tollway_cache.domain.losses import Loss
from tollway_cache.domain.ports import AnswerUnreadable, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tollway_cache.domain.answer import Answer
    from tollway_cache.domain.losses import Losses
    from tollway_cache.domain.ports import AnswerStore

KEY_BYTES = 32


async def look_up(partition: str, exact_key: bytes, *, store: AnswerStore[Any], losses: Losses) -> Answer | None:
    """Return the answer kept for this very prompt; whatever is wrong with the store is a miss."""
    check_address(partition, exact_key)
    try:
        answer: Answer | AnswerUnreadable | None = await store.get(partition, exact_key)
    except StoreUnavailable as error:
        losses.note(Loss.LOOKUP_FAILED, cause=error)
        return None
    except AnswerUnreadable as error:
        answer = error
    return None if answer is None else _own(answer, partition, exact_key, losses)


async def look_up_all(
    partition: str, exact_keys: Sequence[bytes], *, store: AnswerStore[Any], losses: Losses
) -> list[Answer | None]:
    """Do as `look_up` does for several prompts of a workspace at once; one bad key refuses them all."""
    for exact_key in exact_keys:
        check_address(partition, exact_key)
    try:
        found = await store.get_all(partition, exact_keys)
    except StoreUnavailable as error:
        losses.note(Loss.LOOKUP_FAILED, len(exact_keys), cause=error)
        return [None] * len(exact_keys)
    return [
        None if answer is None else _own(answer, partition, exact_key, losses)
        for exact_key, answer in zip(exact_keys, found, strict=True)
    ]


def _own(answer: Answer | AnswerUnreadable, partition: str, exact_key: bytes, losses: Losses) -> Answer | None:
    """Return what a store holds for a prompt if it is an answer, and that prompt's."""
    if isinstance(answer, AnswerUnreadable):
        losses.note(Loss.ANSWER_UNREADABLE, cause=answer)
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
