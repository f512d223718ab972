"""
The upstream that everything is measured against: says again what the simulator said, for next to nothing.

`python -m bench.upstream <simulator's url> <port>`; started by `processes`. The simulator takes about as much CPU time
for an answer as what is measured: whoever stands before it would wait for it instead of being busy, and pay for
falling asleep and waking up. So it is asked `VARIETY` times for each kind of answer before this serves, and its bytes
are sent again in turn: ids and rate limits differ from answer to answer as they do there.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import uvloop

from bench.cases import CASES, PACED
from bench.errors import BenchFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.cases import Case

VARIETY = 64
PACE_SECONDS = 0.01  # of the paced case
ANSWER_SECONDS = 30.0
LARGE_BYTES = 100_000
HEAD_END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"
LAST_CHUNK = b"0\r\n\r\n"
PROMPT = b'"[words='  # the directives, with which a prompt begins


class Recorded:
    """Answers as they were sent, each a list of writes, by what a request says that it wants."""

    def __init__(self, answers: Mapping[Case, list[list[bytes]]]) -> None:
        self._answers = {
            (case.directives.encode(), case.body_bytes > LARGE_BYTES): itertools.cycle(said)
            for case, said in answers.items()
        }

    def next_for(self, request: bytes) -> list[bytes]:
        start = request.rindex(PROMPT) + 1
        return next(self._answers[request[start : request.index(b" ", start)], len(request) > LARGE_BYTES])


class Upstream(asyncio.Protocol):
    """A connection, one request at a time."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self._transport: asyncio.Transport
        self._reads: list[bytes] = []
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._reads.append(data)
        if self._missing:
            self._missing -= len(data)
        else:
            self._missing = _length(data) - len(data)
        if not self._missing:
            request = b"".join(self._reads)
            self._reads.clear()
            self._send(deque(self._recorded.next_for(request)))

    def _send(self, writes: deque[bytes]) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(writes.popleft())
        if writes:
            asyncio.get_running_loop().call_later(PACE_SECONDS, self._send, writes)


def _length(start: bytes) -> int:
    """Return the length of a message by its start, which has all of its head: these are written at once."""
    end = start.index(HEAD_END)
    head = start[: end + 2].lower()
    number = head.index(LENGTH) + len(LENGTH)
    return end + len(HEAD_END) + int(head[number : head.index(b"\r", number)])


async def _record(case: Case, host: str, port: int) -> list[bytes]:
    """Return what the simulator writes for one request: all at once, or read by read where it paces itself."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(case.request(host, port, "any"))
    reads: list[bytes] = []
    async with asyncio.timeout(ANSWER_SECONDS):
        while not _is_whole(answer := b"".join(reads)):
            reads.append(await reader.read(2**20))
            if not reads[-1]:
                raise BenchFailed(f"the simulator breaks off: {answer[-300:]!r}")
    writer.close()
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise BenchFailed(f"the simulator answers {answer[:300]!r}")
    return reads if case is PACED else [answer]


def _is_whole(answer: bytes) -> bool:
    if HEAD_END not in answer:
        return False
    if LENGTH in answer:
        return len(answer) == _length(answer)
    return answer.endswith(LAST_CHUNK)


async def _serve(simulator: str, port: int) -> None:
    address = urlsplit(simulator)
    said = {}
    for case in CASES:
        asked = (_record(case, address.hostname, address.port) for _ in range(VARIETY))
        said[case] = await asyncio.gather(*asked)
    recorded = Recorded(said)
    server = await asyncio.get_running_loop().create_server(lambda: Upstream(recorded), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        uvloop.run(_serve(sys.argv[1], int(sys.argv[2])))
    except BenchFailed as failed:
        sys.exit(str(failed))
