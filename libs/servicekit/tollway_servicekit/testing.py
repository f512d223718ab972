"""For tests of services and measurements: one servicer behind each kind of stub, and a path with latency."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from tollway_servicekit.channel import open_channel
from tollway_servicekit.link.peers import open_links
from tollway_servicekit.serve import serving
from tollway_servicekit.stubs import link_stub, local_stub, plain_stub
from tollway_servicekit.tls import Credentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_servicekit.contract import Contract
    from tollway_servicekit.tls import Tls

STUB_KINDS = ("plain", "link", "local")
TLS_STUB_KINDS = ("plain with mTLS", "link with mTLS")


@asynccontextmanager
async def stub_of(kind: str, contract: Contract, servicer: object, tls: Tls | None = None) -> AsyncIterator[Any]:
    """Yield a stub of the given kind for a servicer that runs as long as the block; both ends show the same `tls`."""
    if kind == "local":
        yield local_stub(contract, servicer)
        return
    async with serving([(contract, servicer)], "127.0.0.1:0", tls, grace=0.2) as port:
        address = f"127.0.0.1:{port}"
        if kind.startswith("link"):
            async with open_links(address, tls) as links:
                yield link_stub(contract, links)
        else:
            async with open_channel(address, Credentials(tls) if tls else None) as channel:
                yield plain_stub(contract, channel)


@asynccontextmanager
async def slow_path(port: int, seconds: float) -> AsyncIterator[int]:
    """Yield a port of loopback from which bytes take so long to `port`, and as long back, but never fewer at once."""
    pumps: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward = await asyncio.open_connection("127.0.0.1", port)
        for source, sink in ((reader, onward[1]), (onward[0], writer)):
            pumps.add(asyncio.create_task(_pump(source, sink, seconds)))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                return
            sink.write(data)

    delivery = asyncio.create_task(deliver())
    try:
        with suppress(OSError):
            while data := await source.read(2**18):
                under_way.put_nowait((loop.time() + seconds, data))
        under_way.put_nowait((loop.time() + seconds, b""))
        await delivery
    finally:
        delivery.cancel()
        sink.close()
        with suppress(OSError):
            await sink.wait_closed()
