"""
Long bodies that begin as others did: their JSON is not read again from the start.

An agent sends its whole conversation with every turn, each time a little longer. The turns are hashed for the cache's
key in any case, here block by block: equal digests of the blocks so far mean equal bytes, and of those it is known
where a turn begins. From there on JSON is read, and what stands before is taken as it is.

    {"model":…,"messages":[ turn, turn, turn, turn, … turn, turn, turn ],"max_tokens":…}
                          |————— known blocks ——————|
                                                 |——————— read ———————————————————————

What is kept of a block is its digest and a number, never its text.
Blocks that come for the second time are worth a second look, at where turns begin in them.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import OrderedDict
from typing import NamedTuple

import msgspec
from blake3 import blake3
from tollway_dialects.request import RequestBody, each_once, names_and_values

BLOCK = 1 << 16
LEAST_BYTES = 2 * BLOCK
"""Of a body that is worth it."""
MOST_BLOCKS = 4096
"""Known at a time, 0.2 KiB each: those that came last."""
# within which the turns have to begin: a body with a longer system prompt before them is read as ever
_OPENING = 1 << 15
_TURNS = re.compile(rb'"(messages|input)"[ \t\r\n]*:[ \t\r\n]*(?=\[)')
_SPACE = re.compile(rb"[ \t\r\n]*")
_COMMA = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*")
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
# of blocks that came once, so that nobody looked yet where their turns begin; none begins at the bracket
_NOT_LOOKED = 0


class _Opening(NamedTuple):
    """What stands before the turns."""

    fields: list[tuple[str, msgspec.Raw]]
    name: str
    start: int
    """Where in the body the turns' bracket is."""


class KnownBeginnings:
    """Where turns begin in blocks that came before; a block is known with all that are before it."""

    def __init__(self, most_blocks: int = MOST_BLOCKS) -> None:
        self._most_blocks = most_blocks
        self._starts: OrderedDict[bytes, int] = OrderedDict()
        """By the digest of the turns up to a block's end: where the last turn that begins before that end does."""

    def read(self, raw: bytes) -> RequestBody:
        """Return what `RequestBody.parse` does, and the turns' digest with it; raises the same."""
        if (opening := _opening(raw)) is None:
            return RequestBody.parse(raw)
        turns = memoryview(raw)[opening.start :]
        blocks = _Blocks(turns)
        start = 0
        while blocks.hashed + BLOCK <= len(turns) and (known := self._starts.get(blocks.hash_next(), _NOT_LOOKED)):
            start = known
        body, length = _read_from(raw, opening, start)
        body.digests[opening.name] = blocks.end_at(length)
        self._note(turns[:length], start, blocks.digests)
        return body

    def _note(self, turns: memoryview, start: int, digests: list[bytes]) -> None:
        """Keep digests, one a block; those that came before are worth a look at where turns begin in them."""
        starts: list[int] = []
        for number, digest in enumerate(digests, 1):
            if (known := self._starts.get(digest)) == _NOT_LOOKED:
                starts = starts or _starts(turns, start)
                earlier = bisect_left(starts, number * BLOCK)
                known = starts[earlier - 1] if earlier else _NOT_LOOKED
            self._starts[digest] = known or _NOT_LOOKED
            self._starts.move_to_end(digest)
        while len(self._starts) > self._most_blocks:
            self._starts.popitem(last=False)


class _Blocks:
    """Hashes turns block by block."""

    def __init__(self, turns: memoryview) -> None:
        self._turns = turns
        self._hasher = self._before = blake3()
        self.hashed = 0
        self.digests: list[bytes] = []
        """Of the turns up to each block's end."""

    def hash_next(self) -> bytes:
        self._before = self._hasher.copy()
        self._hasher.update(self._turns[self.hashed : self.hashed + BLOCK])
        self.hashed += BLOCK
        self.digests.append(self._hasher.digest())
        return self.digests[-1]

    def end_at(self, length: int) -> bytes:
        """Return the digest of so much; at most the block that was hashed last may be beyond it."""
        if self.hashed > length:
            self._hasher = self._before
            self.hashed -= BLOCK
            self.digests.pop()
        while self.hashed + BLOCK <= length:
            self.hash_next()
        self._hasher.update(self._turns[self.hashed : length])
        return self._hasher.digest()


def _opening(raw: bytes) -> _Opening | None:
    """Find turns at the top level of a body; None where they do not begin soon, or nothing does that is JSON."""
    if (found := _TURNS.search(raw, 0, _OPENING)) is None:
        return None
    try:
        # what ends an object here is no other one's part and in no string
        *fields, (name, _) = names_and_values(raw[: found.end()] + b"0}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return _Opening(fields, name, found.end())


def _read_from(raw: bytes, opening: _Opening, start: int) -> tuple[RequestBody, int]:
    """Return the body, read from where a turn begins, and how long the turns are; raises `MalformedRequest`."""
    if start:
        try:
            rest = names_and_values(b"".join((b'{"":[', memoryview(raw)[opening.start + start :])))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            start = 0  # and let that be told of the whole
        else:
            (_, last_turns), *after = rest
            length = start + len(last_turns) - 1
            turns = msgspec.Raw(memoryview(raw)[opening.start : opening.start + length])
            return RequestBody(raw, each_once([*opening.fields, (opening.name, turns), *after])), length
    body = RequestBody.parse(raw)
    return body, len(body.fields[opening.name])


def _starts(turns: memoryview, start: int) -> list[int]:
    """Return where turns begin, from one on that does at `start`, or from the first if that is 0."""
    found = []
    at = start or _behind(_SPACE, turns, 1)
    for turn in _RAWS.decode(b"".join((b"[", turns[at:]))):
        found.append(at)
        at = _behind(_COMMA, turns, at + len(turn))
    return found


def _behind(what: re.Pattern[bytes], turns: memoryview, at: int) -> int:
    found = what.match(turns, at)
    return found.end() if found else at
