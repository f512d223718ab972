"""For tests of services: one servicer behind each kind of stub."""

from __future__ import annotations

from contextlib import asynccontextmanager
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
