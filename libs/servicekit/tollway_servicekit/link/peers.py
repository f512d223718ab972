"""Who answers at an address: a link for each peer, found by DNS, chosen in turn. Asked by `link_stub`."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from tollway_servicekit.channel import open_channel
from tollway_servicekit.errors import Unavailable
from tollway_servicekit.link.addresses import resolve
from tollway_servicekit.link.http2.caller import open_carry
from tollway_servicekit.link.peer import Peer
from tollway_servicekit.link.tally import Tally
from tollway_servicekit.tls import Credentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_servicekit.tls import Tls


RESOLVE_SECONDS = 10.0
"""Peers that came or went are noticed so much later; at once where a link breaks."""
RESOLVE_AGAIN_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 0.1
"""A call that waits for one peer sees so much later that another one can be called."""


@asynccontextmanager
async def open_links(address: str, tls: Tls | None = None) -> AsyncIterator[Links]:
    """Yield links to all that answer at `host:port`, over TLS where it is given; they are opened by the first call."""
    links = Links(address, tls)
    try:
        yield links
    finally:
        await links.close()


class Links:
    """
    One link for each peer behind an address, e.g. each pod of a headless Service.

    Args:
        address: `host:port`, or a target of another kind, which is one peer: `unix:path`, `dns:///host:port`.
        tls: When its files are replaced, so are the links.
    """

    def __init__(self, address: str, tls: Tls | None = None) -> None:
        self.tally = Tally()
        self._address = address
        self._credentials = None if tls is None else Credentials(tls)
        self._peers: list[Peer] = []
        self._gone: list[Peer] = []
        self._at = 0
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._resolve_at = 0.0
        self._resolving: asyncio.Task[None] | None = None

    def ready(self, *, has_waited: bool = False) -> Peer | None:
        """Return the next peer that a call may be started on now, if there is one; who waits for one goes first."""
        if self._waiting and not has_waited:
            return None
        now = time.monotonic()
        if now >= self._resolve_at:
            self._resolve(now)
        peers = self._peers
        for _ in peers:
            self._at = at = self._at + 1
            peer = peers[at % len(peers)]
            if peer.is_ready(now):
                return peer
        return None

    async def wait(self) -> Peer:
        """
        Return a peer that a call may be started on, once there is one, to who waits in turn.

        The caller starts its call before it awaits anything.

        Raises:
            Unavailable: All peers are away.
        """
        self._waiting += 1
        try:
            async with self._turn:
                while (peer := self.ready(has_waited=True)) is None:
                    if full := [peer for peer in self._peers if peer.is_open]:
                        await _room_at_one(full)
                    else:
                        await self._one_opened()
                return peer
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        if self._resolving is not None:
            self._resolving.cancel()
            await asyncio.wait([self._resolving])
        for peer in (*self._peers, *self._gone):
            await peer.close()

    async def _one_opened(self) -> None:
        """Wait for something to change: the addresses are known, or one of the links that are being opened is."""
        if self._resolving is not None and not self._peers:
            await asyncio.wait([self._resolving])
            if not self._peers:
                raise Unavailable("UNAVAILABLE", f"{self._address} stands for no address")
            return
        opening = [peer.opening for peer in self._peers if peer.opening is not None]
        if not opening:
            raise self._failure()
        await asyncio.wait(opening, return_when=asyncio.FIRST_COMPLETED, timeout=LOOK_AGAIN_SECONDS)
        if all(peer.opening is None and not peer.is_open for peer in self._peers):
            raise self._failure()

    @property
    def open(self) -> int:
        """Links that calls may be started on."""
        return sum(peer.link is not None for peer in self._peers)

    @property
    def in_flight(self) -> int:
        """Calls that have not ended, those with an RPC of their own included."""
        return sum(peer.in_flight + peer.own_calls for peer in (*self._peers, *self._gone))

    def _failure(self) -> Unavailable:
        why = next((peer.why for peer in self._peers if peer.why), "it does not answer")
        return Unavailable("UNAVAILABLE", f"{self._address} is away: {why}")

    def _resolve(self, now: float) -> None:
        if self._resolving is None or self._resolving.done():
            self._resolve_at = now + RESOLVE_SECONDS
            self._resolving = asyncio.create_task(self._find())

    def _on_break(self) -> None:
        self._resolve_at = min(self._resolve_at, time.monotonic() + RESOLVE_AGAIN_SECONDS)

    def _peer(self, target: str) -> Peer:
        name = "" if target == self._address else self._address.rpartition(":")[0]
        connect = partial(open_channel, target, self._credentials, server_name=name)
        tls = None if self._credentials is None else self._credentials.of_caller()
        carry = partial(open_carry, target=target, tls=tls, server_name=name)
        return Peer(target, carry, connect, self.tally, self._on_break, has_tls=tls is not None)

    async def _find(self) -> None:
        targets = await resolve(self._address)
        if targets is None:  # DNS does not answer: those that are known stay
            self._resolve_at = time.monotonic() + RESOLVE_AGAIN_SECONDS
            return
        has_renewed = self._credentials is not None and self._credentials.renew()
        known = {} if has_renewed else {peer.target: peer for peer in self._peers}
        peers = [known.get(target) or self._peer(target) for target in targets]
        left = [peer for peer in self._peers if peer not in peers]
        self._peers = peers
        for peer in left:
            peer.leave()
        over = [peer for peer in self._gone if peer.is_over]
        self._gone = [peer for peer in (*self._gone, *left) if peer not in over]
        for peer in over:
            await peer.close()


async def _room_at_one(peers: list[Peer]) -> None:
    """Wait until one has room, or it is time to look whether another one can be called."""
    waiting = [asyncio.create_task(peer.room()) for peer in peers]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=LOOK_AGAIN_SECONDS)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)  # until they have, they hold the others' turns
