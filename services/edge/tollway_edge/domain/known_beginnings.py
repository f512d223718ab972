"""
Long bodies that begin as others did: their JSON is not read again from the start.

An agent sends its whole conversation with every turn, each time a little longer. The turns are hashed for the cache's
key in any case, here block by block: equal digests of the blocks so far mean equal bytes, and of those it is known
where a turn begins. From there on JSON is read, and what stands before is taken as it is.

    {"model":…,"messages":[ turn, turn, turn, turn, … turn, turn, turn ],"max_tokens":…}
                          |————— known blocks ——————|
                                                 |——————— read ———————————————————————

What is kept of a block is its digest and a number, never its text. Of a body that begins as none did before, that is
its first block's: where turns begin is looked at when another one comes that begins so.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import NamedTuple

import msgspec
from blake3 import blake3
from tollway_dialects.request import RequestBody, each_once, names_and_values

BLOCK = 1 << 16
LEAST_BYTES = 2 * BLOCK
"""Of a body that is worth it."""
MOST_BLOCKS = 1 << 14
"""Known at a time, of all workspaces, 0.3 KiB each: those that came last."""
# within which the turns have to begin: a body with a longer system prompt before them is read as ever
_OPENING = 1 << 15
_TURNS = re.compile(rb'"(messages|input)"[ \t\r\n]*:[ \t\r\n]*(?=\[)')
_SPACE = re.compile(rb"[ \t\r\n]*")
_NEXT = re.compile(rb"\},[ \t\r\n]*(?=\{)")
_ANY = msgspec.json.Decoder(msgspec.Raw)
# parts of a turn look like turns, and each that is taken for one costs a pass of JSON from the last one that is known
_TRIES = 4
_FARTHEST = 8 * BLOCK
# of a first block that came once; no turn begins where the bracket is
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
        self._starts: OrderedDict[tuple[str, bytes], int] = OrderedDict()
        """By workspace and digest of the turns up to a block's end: where one begins before that, late if possible."""

    def read(self, raw: bytes, workspace: str) -> RequestBody:
        """
        Return what `RequestBody.parse` does, and the turns' digest with it; raises the same.

        Args:
            raw: The body.
            workspace: Whose it is; nobody is to learn by the clock what another one asks.
        """
        if (opening := _opening(raw)) is None:
            return RequestBody.parse(raw)
        turns = memoryview(raw)[opening.start :]
        blocks = _Blocks(turns)
        start = 0
        while blocks.hashed + BLOCK <= len(turns):
            if not (known := self._starts.get((workspace, blocks.hash_next()), _NOT_LOOKED)):
                break
            start = known
        body, length = _read_from(raw, opening, start)
        if blocks.hashed > length:
            blocks.take_back()
        if not blocks.digests:
            return body
        first = (workspace, blocks.digests[0])
        if first in self._starts:
            body.digests[opening.name] = blocks.end_at(length)
            self._learn(raw, opening.start, [(workspace, digest) for digest in blocks.digests])
        else:
            self._starts[first] = _NOT_LOOKED
        while len(self._starts) > self._most_blocks:
            self._starts.popitem(last=False)
        return body

    def _learn(self, raw: bytes, turns: int, keys: list[tuple[str, bytes]]) -> None:
        """Note of each block where the last turn that begins in it, or before it, does."""
        space = _SPACE.match(raw, turns + 1, turns + BLOCK)
        start = space.end() - turns if space else 1
        if start >= BLOCK:
            return
        for number, key in enumerate(keys, 1):
            start = self._starts.get(key) or _last_start(raw, turns, start, turns + number * BLOCK)
            self._starts[key] = start
            self._starts.move_to_end(key)


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

    def take_back(self) -> None:
        """Forget the block that was hashed last: it is not all turns."""
        self._hasher = self._before
        self.hashed -= BLOCK
        self.digests.pop()

    def end_at(self, length: int) -> bytes:
        """Hash what is left of so much; return its digest."""
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
    if start > BLOCK // 2:  # else it is not worth a copy of the rest
        try:
            rest = names_and_values(b"".join((b'{"":[', memoryview(raw)[opening.start + start :])))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # that is told of the whole
        else:
            (_, last_turns), *rest = rest
            # copies, since what is behind the turns would keep all that was joined
            after = [(name, value.copy()) for name, value in rest]
            length = start + len(last_turns) - 1
            turns = msgspec.Raw(memoryview(raw)[opening.start : opening.start + length])
            return RequestBody(raw, each_once([*opening.fields, (opening.name, turns), *after])), length
    body = RequestBody.parse(raw)
    return body, len(body.fields[opening.name])


def _last_start(raw: bytes, turns: int, start: int, end: int) -> int:
    """
    Return where in the turns one begins before `end`, the last if it is soon found.

    What looks like the end of a turn and the next one's beginning is that if all before it is JSON. Turns are not
    counted one by one: a body may have millions.

    Args:
        raw: The body.
        turns: Where their bracket is.
        start: Where in them one is known to begin before `end`.
        end: Of the bytes that count.
    """
    known, behind = turns + start, end
    for _ in range(_TRIES if end - known <= _FARTHEST else 0):
        if (behind := raw.rfind(b"},", known, behind)) < 0:
            break
        following = _NEXT.match(raw, behind)
        if following and following.end() < end and _is_json(b"[%b]" % raw[known : behind + 1]):
            return following.end() - turns
    return start


def _is_json(raw: bytes) -> bool:
    try:
        _ANY.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
