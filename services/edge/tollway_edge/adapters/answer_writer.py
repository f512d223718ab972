"""Answers on their way to the cache; the base of `cache_client`, and of a topology's cache in one process."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from tollway_dialects.stored_answer import StoredAnswer, pack

from tollway_edge.adapters.batches import SizedBatches

if TYPE_CHECKING:
    from tollway_edge.adapters.stored_keys import StoredKeys
    from tollway_edge.domain.call import Call

log = logging.getLogger(__name__)

# answers that are kept together share an RPC
STORE_AFTER_SECONDS = 0.1
MOST_PER_BATCH = 32
# a message is copied a few times on its way; one answer may be larger
MOST_BYTES_PER_BATCH = 512 * 1024

Write = tuple[str, bytes, bytes]
"""Workspace, exact key and packed answer."""


class AnswerWriter(ABC):
    """
    Packs answers at once, while what they are made of is at hand: waiting costs memory and finding it again.

    Args:
        stored_keys: Which keys may have an answer.
        most_bytes: What answers may hold that are not stored yet.
    """

    def __init__(self, stored_keys: StoredKeys, most_bytes: int) -> None:
        self.stored_keys = stored_keys
        self.writes: SizedBatches[Write] = SizedBatches(
            "cache writes",
            self._send,
            interval=STORE_AFTER_SECONDS,
            most_per_batch=MOST_PER_BATCH,
            most_waiting=2_000,
            size_of=_size,
            most_bytes_per_batch=MOST_BYTES_PER_BATCH,
            most_bytes=most_bytes,
        )

    def may_hold(self, exact_key: bytes) -> bool:
        return self.stored_keys.may_hold(exact_key)

    def store(self, call: Call, body: bytes, cost_micro_usd: int) -> None:
        workspace = call.workspace.name if call.workspace else ""
        answer = StoredAnswer(
            workspace,
            call.exact_key,
            call.dialect,
            call.provider,
            call.model,
            call.tier,
            call.usage,
            cost_micro_usd,
            body,
            call.is_stream,
        )
        try:
            packed = pack(answer)
        except Exception as error:  # what no store can hold, such as a number that a provider made up
            log.error("an answer cannot be stored (%s)", type(error).__name__)
            self.writes.dropped += 1
        else:
            self.stored_keys.add(call.exact_key)
            self.writes.add((workspace, call.exact_key, packed))

    @abstractmethod
    async def _send(self, writes: list[Write]) -> None:
        """Store them; a `ServiceError` means that they did not arrive."""


def _size(write: Write) -> int:
    return len(write[2])
