"""Counts what the cache could not do, and warns once an interval and kind instead of once a request."""

from __future__ import annotations

import logging
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

WARNING_INTERVAL_SECONDS = 10.0


class Loss(StrEnum):
    """Why a request fared worse than it might have; none of them fails a call."""

    LOOKUP_FAILED = "lookups counted as misses because the store does not answer"
    ANSWER_DROPPED = "answers not stored because the store does not answer"
    ANSWER_UNREADABLE = "stored values counted as misses because they cannot be read"
    ANSWER_FOREIGN = "stored values counted as misses because they belong to another workspace or prompt"


class Losses:
    """All losses since the start."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.counts: Counter[Loss] = Counter()
        self._clock = clock
        self._warned: dict[Loss, tuple[float, int]] = {}

    def note(self, loss: Loss, count: int = 1, *, cause: object = "") -> None:
        self.counts[loss] += count
        now = self._clock()
        warned_at, told = self._warned.get(loss, (-WARNING_INTERVAL_SECONDS, 0))
        if now - warned_at >= WARNING_INTERVAL_SECONDS:
            total = self.counts[loss]
            self._warned[loss] = (now, total)
            log.warning("%d %s (%d since the start) %s", total - told, loss, total, cause)
