"""Finds answers; called by the servicer for every LookupAnswer and LookupAnswers, and by topologies in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from tollway_dialects.stored_answer import unpack
from tollway_servicekit.errors import InvalidRequest

from tollway_cache.domain.losses import Loss
from tollway_cache.domain.ports import AnswerUnreadable, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tollway_dialects.stored_answer import StoredAnswer

    from tollway_cache.domain.losses import Losses
    from tollway_cache.domain.ports import AnswerStore

KEY_BYTES = 32


async def look_up(partition: str, exact_key: bytes, *, store: AnswerStore, losses: Losses) -> StoredAnswer | None:
    """Return the answer kept for this very prompt; whatever is wrong with the store is a miss."""
    check_address(partition, exact_key)
    try:
        packed = await store.get(partition, exact_key)
    except StoreUnavailable as error:
        losses.note(Loss.LOOKUP_FAILED, cause=error)
        return None
    except AnswerUnreadable as error:
        losses.note(Loss.ANSWER_UNREADABLE, cause=error)
        return None
    return None if packed is None else _unpacked(packed, partition, exact_key, losses)


async def look_up_all(
    partition: str, exact_keys: Sequence[bytes], *, store: AnswerStore, losses: Losses
) -> list[StoredAnswer | None]:
    """Do as `look_up` does for several prompts of a workspace at once; one bad key refuses them all."""
    for exact_key in exact_keys:
        check_address(partition, exact_key)
    if not exact_keys:
        return []
    try:
        found = await store.get_all(partition, exact_keys)
    except StoreUnavailable as error:
        losses.note(Loss.LOOKUP_FAILED, len(exact_keys), cause=error)
        return [None] * len(exact_keys)
    return [
        None if packed is None else _unpacked(packed, partition, exact_key, losses)
        for exact_key, packed in zip(exact_keys, found, strict=True)
    ]


def _unpacked(packed: bytes, partition: str, exact_key: bytes, losses: Losses) -> StoredAnswer | None:
    """Return what was kept for a prompt if it is an answer of this version, and that prompt's."""
    try:
        answer = unpack(packed)
    except msgspec.DecodeError:  # whose text could quote the value
        losses.note(Loss.ANSWER_UNREADABLE, cause=f"it is no answer of this version ({len(packed)} bytes)")
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
