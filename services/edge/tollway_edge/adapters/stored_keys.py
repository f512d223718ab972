"""
Which exact keys may have an answer in the cache, so that it is asked for no others (ADR-0017).

A Bloom filter in this process, filled by a watch of the cache: first with all keys, then with each that anybody stores.
It never misses one that it was told, and takes about one in a hundred others for one. Nobody tells which answers are
gone, so it is made anew from time to time. While there is none, every key may have an answer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from math import inf
from random import uniform
from typing import TYPE_CHECKING

from rbloom import Bloom
from tollway.cache.v1 import cache_pb2
from tollway_servicekit.errors import ServiceError
from tollway_servicekit.stubs import responses

if TYPE_CHECKING:
    from tollway.cache.v1.cache_pb2_grpc import CacheServiceAsyncStub

log = logging.getLogger(__name__)

MADE_ANEW_SECONDS = 3600.0
FALSE_POSITIVES = 0.01
FEWEST_KEYS, MOST_KEYS = 1 << 20, 1 << 23
"""That a filter has room for: 1.2 to 9.6 MiB. Of more keys than the most, it takes ever more others for stored."""
SHORTEST_WAIT, LONGEST_WAIT = 0.1, 60.0
"""Seconds between two watches; the longest where the cache tells nothing: it may be of a release that cannot."""
SETTLED_SECONDS = 10.0
"""A filter that served for less is followed by a longer wait than the one before."""


class StoredKeys:
    """
    Asked for every call; `run` keeps it up to date.

    Args:
        stub: cache.
        made_anew_seconds: How long one filter serves.
    """

    def __init__(self, stub: CacheServiceAsyncStub, made_anew_seconds: float = MADE_ANEW_SECONDS) -> None:
        self._stub = stub
        self._seconds = made_anew_seconds
        self._filling: Bloom | None = None
        self._known: Bloom | None = None
        """The same, once all that was stored before is in it."""
        self._known_since = inf

    @property
    def are_known(self) -> bool:
        return self._known is not None

    def may_hold(self, exact_key: bytes) -> bool:
        """Say whether there may be an answer; false: there was none a moment ago."""
        known = self._known
        return known is None or exact_key in known

    def add(self, exact_key: bytes) -> None:
        """Take note of an answer that is about to be stored, before the cache tells of it."""
        if self._filling is not None:
            self._filling.add(exact_key)

    async def run(self) -> None:
        """Watch; come again after a break, and for a new filter. Runs until cancelled."""
        delay = SHORTEST_WAIT
        while True:
            # not at the same moment as all other replicas
            seconds = self._seconds * uniform(0.9, 1.1)  # noqa: S311 - no secret
            self._known_since = inf
            try:
                async with asyncio.timeout(seconds):
                    await self._fill()
            except TimeoutError:
                log.debug("the keys of the cache are asked for anew")
            except ServiceError as error:
                level = logging.WARNING if self.are_known else logging.INFO
                log.log(level, "the cache does not tell its keys, so it is asked for all of them (%s)", error)
            except Exception:
                log.exception("the keys of the cache are not known, so it is asked for all of them")
            finally:
                self._filling = self._known = None
            has_served = time.monotonic() - self._known_since > SETTLED_SECONDS
            delay = SHORTEST_WAIT if has_served else min(delay * 2, LONGEST_WAIT)
            await asyncio.sleep(delay)

    async def _fill(self) -> None:
        """Fill a filter for as long as it has room and the cache tells what to put into it."""
        room = told = 0
        async with responses(self._stub.WatchStoredKeys(cache_pb2.WatchStoredKeysRequest())) as watch:
            async for news in watch:
                if self._filling is None:
                    room = max(FEWEST_KEYS, min(4 * news.expected_keys, MOST_KEYS))
                    self._filling = Bloom(room, FALSE_POSITIVES)
                self._filling.update(news.exact_keys[:])
                told += len(news.exact_keys)
                if news.is_whole:
                    self._known, self._known_since = self._filling, time.monotonic()
                    log.info("the cache has answers to %d keys, and is asked for no others", told)
                if told > room != MOST_KEYS:
                    return
