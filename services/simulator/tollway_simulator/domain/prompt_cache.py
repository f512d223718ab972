"""The providers' prompt caches: which beginnings of prompts were seen before, and what that is worth in tokens."""

from __future__ import annotations

import time
from collections import OrderedDict
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from tollway_simulator.domain.tokens import BYTES_PER_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tollway_simulator.domain.prompt import Segment

MAX_PREFIXES = 10_000
LOOK_BACK = 20
"""How many segments before a mark a kept prefix may end."""
SECONDS = {"5m": 300, "1h": 3600}


class CacheUse(msgspec.Struct, frozen=True):
    """Tokens that came from the prompt cache or went into it."""

    read: int = 0
    write: int = 0
    write_1h: int = 0
    """Part of `write`."""


NO_CACHE = CacheUse()


class PromptCache:
    """Remembers digests of prefixes, never prompts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._expires: OrderedDict[bytes, tuple[float, int]] = OrderedDict()
        self._clock = clock

    def use(self, scope: str, segments: Iterable[Segment], minimum: int) -> CacheUse:
        """
        Return what a prompt reads and writes, and remember what it writes.

        Args:
            scope: Prompts of different scopes share nothing.
            segments: The whole prompt; those with a time to live are marks that a kept prefix ends at.
            minimum: Tokens that a prefix must have to be kept.
        """
        prefixes, tokens, marks = _prefixes(scope, segments)
        marks = [(at, ttl) for at, ttl in marks if tokens[at] >= minimum]
        if not marks:
            return NO_CACHE
        found = max((self._longest_kept(prefixes, at) for at, _ in marks), default=-1)
        read = covered = tokens[found] if found >= 0 else 0
        write = write_1h = 0
        for at, ttl in marks:
            self._keep(prefixes[at], SECONDS[ttl])
            if tokens[at] > covered:
                added = tokens[at] - covered
                write += added
                write_1h += added if ttl == "1h" else 0
                covered = tokens[at]
        return CacheUse(read, write, write_1h)

    def _longest_kept(self, prefixes: list[bytes], mark: int) -> int:
        now = self._clock()
        for at in range(mark, max(-1, mark - LOOK_BACK - 1), -1):
            kept = self._expires.get(prefixes[at])
            if kept is not None and kept[0] > now:
                self._keep(prefixes[at], kept[1])
                return at
        return -1

    def _keep(self, prefix: bytes, seconds: int) -> None:
        self._expires[prefix] = (self._clock() + seconds, seconds)
        self._expires.move_to_end(prefix)
        if len(self._expires) > MAX_PREFIXES:
            self._expires.popitem(last=False)


def _prefixes(scope: str, segments: Iterable[Segment]) -> tuple[list[bytes], list[int], list[tuple[int, str]]]:
    """Return digest and tokens of the prompt up to and with each segment, and where the marks are."""
    digest = sha256(scope.encode())
    prefixes: list[bytes] = []
    tokens: list[int] = []
    marks: list[tuple[int, str]] = []
    total = 0
    for index, segment in enumerate(segments):
        digest.update(b"%d:" % len(segment.content) + segment.content)
        prefixes.append(digest.digest())
        total += segment.text_bytes
        tokens.append(total // BYTES_PER_TOKEN)
        if segment.ttl:
            marks.append((index, segment.ttl))
    return prefixes, tokens, marks
