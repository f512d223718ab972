"""Raw clients that read streams fast, slowly or not at all; used by `test_streams`."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# small, and segments as on a network: a sender on loopback would be given megabytes of room by the system,
# and would never see that nobody reads
RECEIVE_BUFFER = 16384
SEGMENT = 1448
STREAMED = b"HTTP/1.1 200 "


@dataclass(frozen=True)
class Kind:
    """How a stream is made and how it is read."""

    name: str
    words: int
    pace: float | None = None
    """Seconds between the upstream's events; None sends all at once."""
    piece: int = 65536
    """Bytes read at a time."""
    rest: float = 0.0
    """Seconds between two reads."""
    model: str = "claude-haiku-5-5"
    extra: tuple[tuple[str, object], ...] = ()
    """Further fields of the body."""

    def body(self) -> bytes:
        pace = f" [pace={self.pace}]" if self.pace else ""
        asked = [{"role": "user", "content": f"[words={self.words}]{pace} {uuid.uuid4()}"}]
        fields = {"model": self.model, "max_tokens": 100_000, "stream": True, "messages": asked, **dict(self.extra)}
        return json.dumps(fields).encode()


PACE = 0.2
PROBE = Kind("probe", words=3, model="claude-sonnet-5-5")
FAST = Kind("fast", words=25, pace=PACE)
SLOW = Kind("slow", words=2000, piece=2048, rest=0.06)
LATE = Kind("late", words=6000)
"""Does not read before it is told to."""
ABANDONED = Kind("abandoned", words=20_000)
"""Never reads, and closes."""
UNREAD = Kind("unread", words=40_000, extra=(("temperature", 1),))
"""As abandoned, and not kept for the cache."""


@dataclass
class Stream:
    """One request and what came of it."""

    kind: Kind
    asked_at: float = 0.0
    moments: list[float] = field(default_factory=list)
    """When something came."""
    received: bytearray = field(default_factory=bytearray)
    connection: socket.socket | None = None

    async def ask(self, url: str, key: str) -> None:
        address = urlsplit(url)
        self.connection = connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
        connection.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(connection, (address.hostname, address.port))
        body = self.kind.body()
        head = (
            f"POST /v1/messages HTTP/1.1\r\nhost: {address.netloc}\r\nx-api-key: {key}\r\n"
            f"anthropic-version: 2023-06-01\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.asked_at = time.monotonic()
        await loop.sock_sendall(connection, head.encode() + body)

    async def first_byte(self) -> None:
        """Await the answer's begin; take one byte of it, and leave the rest where it is."""
        await self._receive(1)

    async def read(self) -> None:
        """Read to the end of the answer, at the speed of the kind."""
        while not self.received.endswith(b"\r\n0\r\n\r\n"):
            await self._receive(self.kind.piece)
            if self.kind.rest:
                await asyncio.sleep(self.kind.rest)

    async def _receive(self, most: int) -> None:
        assert self.connection
        data = await asyncio.get_running_loop().sock_recv(self.connection, most)
        assert data, f"a {self.kind.name} stream was closed after {len(self.received)} bytes"
        self.moments.append(time.monotonic())
        self.received += data
        # a refusal has no end that `read` would know
        assert self.received.startswith(STREAMED[: len(self.received)]), bytes(self.received)

    def close(self) -> None:
        if self.connection:
            self.connection.close()

    @property
    def longest_gap(self) -> float:
        """Seconds between two pieces; nothing is due before the first."""
        return max(after - before for before, after in zip(self.moments, self.moments[1:], strict=False))

    @property
    def seconds(self) -> float:
        """From the first piece to the last."""
        return self.moments[-1] - self.moments[0]

    @property
    def query_id(self) -> str:
        found = re.search(rb"\r\nx-gateway-query-id: ([0-9a-f]{8})\r\n", self.received, re.IGNORECASE)
        assert found, bytes(self.received[:300])
        return found[1].decode()

    def assert_whole(self) -> None:
        head, _, chunked = bytes(self.received).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        events = _joined(chunked)
        assert events.count(b'"text_delta"') == self.kind.words, f"a {self.kind.name} stream lost events"
        assert events.endswith(b'data: {"type":"message_stop"}\n\n')


def _joined(chunked: bytes) -> bytes:
    """Take the chunks' framing out."""
    parts = []
    start = 0
    while True:
        end = chunked.index(b"\r\n", start)
        size = int(chunked[start:end], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(chunked[end + 2 : end + 2 + size])
        start = end + 2 + size + 2
