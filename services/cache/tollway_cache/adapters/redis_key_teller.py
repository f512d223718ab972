"""Tells all replicas under which keys this one has stored answers; `redis_key_watch` hears it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from tollway_cache.domain.ports import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tollway_cache.adapters.redis_pipeline import RedisPipeline

CHANNEL = b"tollway:stored-keys"
UNTOLD_SECONDS = 0.25
"""For which answers are stored before other replicas are told: a prompt that comes there meanwhile is asked again."""
AGAIN_SECONDS = 1.0
MANY_KEYS = 4096
"""That are told before their time."""
MOST_UNTOLD_KEYS = 16 * MANY_KEYS
"""That are kept while Redis takes no news; more are found when filters are made anew."""
_PUBLISH = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n" % (len(CHANNEL), CHANNEL) + b"$%d\r\n%b\r\n"


class KeyTeller:
    """
    Tells of many answers in one message, since each is one for every replica, and again what Redis did not take.

    Args:
        pipeline: The one that stores them.
    """

    def __init__(self, pipeline: RedisPipeline) -> None:
        self._pipeline = pipeline
        self._untold: list[bytes] = []
        self._telling: asyncio.Future[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def note(self, exact_keys: Iterable[bytes]) -> None:
        """Tell of answers that may be stored by now."""
        if self._is_closed:  # nobody would close what is opened for it
            return
        self._untold.extend(exact_keys)
        if len(self._untold) >= MANY_KEYS:
            self._tell()
        elif self._timer is None and self._telling is None:
            self._tell_in(UNTOLD_SECONDS)

    async def close(self) -> None:
        """Tell what is left, once."""
        self._is_closed = True
        for _ in range(2):  # what is on its way, and what has come since
            self._tell()
            if self._telling is not None:
                await asyncio.wait([self._telling])

    def _tell_in(self, seconds: float) -> None:
        if not self._is_closed:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._tell)

    def _tell(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._telling is not None or not self._untold:
            return
        keys, self._untold = self._untold, []
        message = b"".join(keys)
        try:
            self._telling = self._pipeline.ask(_PUBLISH % (len(message), message))
        except StoreUnavailable:
            self._keep(keys)
        else:
            self._telling.add_done_callback(partial(self._told, keys))

    def _told(self, keys: list[bytes], answer: asyncio.Future[object]) -> None:
        self._telling = None
        if answer.cancelled() or not isinstance(answer.result(), int):
            self._keep(keys)
        elif self._untold:
            self._tell_in(UNTOLD_SECONDS)

    def _keep(self, keys: list[bytes]) -> None:
        """Tell them later."""
        self._untold = [*keys, *self._untold][-MOST_UNTOLD_KEYS:]
        self._tell_in(AGAIN_SECONDS)
