"""A link's peer as a process that can be killed, and a wire to it that can freeze."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PEER = Path(__file__).parent / "link_peer.py"


@asynccontextmanager
async def peer_process(port: int = 0) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, PEER, str(port), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(30):
            yield process, int(await process.stdout.readline())  # type: ignore[union-attr]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Wire:
    """A TCP relay that can freeze, as a peer does that vanishes without a word."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._open = asyncio.Event()
        self._open.set()
        self._is_closed = False
        self._relays: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def __aexit__(self, *_: object) -> None:
        # nothing is cancelled: half-open sockets would be left to the collector
        self._server.close()
        self._is_closed = True
        self._open.set()
        for _ in range(10):  # connections that are just being accepted
            await asyncio.sleep(0)
        while self._relays:
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.wait(self._relays)

    def freeze(self) -> None:
        self._open.clear()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        relay = asyncio.create_task(self._relay(reader, writer))
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.append(there_writer)
            if self._is_closed:
                there_writer.transport.abort()
            await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            await self._open.wait()
            sink.write(data)
            await sink.drain()
        sink.close()
