"""What the simulator served, so that tests can compare and await it; written by requests, read by the control API."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_ENTRIES = 10_000


class Entry(msgspec.Struct):
    """One request; never holds a key or prompt text. Times are Unix seconds."""

    number: int
    received_at: float
    path: str
    face: str
    dialect: str
    request_id: str = ""
    model: str = ""
    stream: bool = False
    status: int = 0
    """0 until the answer begins."""
    key_fingerprint: str = ""
    headers: dict[str, str] = {}
    body_sha256: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    """Words (or pieces of tool arguments) sent so far."""
    completed: bool = False
    """The whole answer was sent."""
    disconnected_at: float | None = None
    """When the client left early."""
    finished_at: float | None = None


class Tally(msgspec.Struct):
    """What came for one face, model and key; times are Unix seconds, statuses are counted by their number."""

    face: str
    model: str
    key_fingerprint: str
    requests: int = 0
    completed: int = 0
    received_at: list[float] = []
    statuses: dict[int, int] = {}


def tally(entries: Iterable[Entry]) -> list[Tally]:
    """Return one tally for each face, model and key, in the order of their first request."""
    tallies: dict[tuple[str, str, str], Tally] = {}
    for entry in entries:
        of = (entry.face, entry.model, entry.key_fingerprint)
        one = tallies.setdefault(of, Tally(*of))
        one.requests += 1
        one.completed += entry.completed
        one.received_at.append(entry.received_at)
        one.statuses[entry.status] = one.statuses.get(entry.status, 0) + 1
    return list(tallies.values())


class Log:
    """The last entries, numbered from 1; numbers go on when the log is cleared."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self._last_number = 0
        self._changed: asyncio.Future[None] | None = None

    def open(self, path: str, face: str, dialect: str) -> Entry:
        self._last_number += 1
        entry = Entry(self._last_number, time.time(), path, face, dialect)
        self._entries.append(entry)
        self.announce()
        return entry

    def finish(self, entry: Entry) -> None:
        entry.finished_at = time.time()
        self.announce()

    def since(self, number: int) -> list[Entry]:
        return [entry for entry in self._entries if entry.number >= number]

    def clear(self) -> None:
        self._entries.clear()

    def changed(self) -> asyncio.Future[None]:
        """Return a future that is done when the next request arrives or ends."""
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        return self._changed

    def announce(self) -> None:
        """Tell those who wait that an entry has changed."""
        if self._changed is not None:
            self._changed.set_result(None)
            self._changed = None
