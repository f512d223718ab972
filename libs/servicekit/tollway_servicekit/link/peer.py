"""One peer: its link, a channel where one is needed, and when a broken link is tried again. Kept by `peers`."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tollway_servicekit.link.client import Link
from tollway_servicekit.stubs.plain import plain_stub

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    import grpc

    from tollway_servicekit.contract import Contract
    from tollway_servicekit.link.carry import CarryReader
    from tollway_servicekit.link.http2.caller import CallingConnection
    from tollway_servicekit.link.tally import Tally

log = logging.getLogger(__name__)

FIRST_BACKOFF_SECONDS = 0.1
MOST_BACKOFF_SECONDS = 2.0
WITHOUT_LINKS_SECONDS = 30.0
"""A peer that has no links, e.g. one of an older release, is called plainly for so long, then asked again."""
CLOSED = ("the peer closed the connection", "the connection broke")
"""What is said where a peer ends the connection, for example over a certificate that it does not trust."""
LEFT_SECONDS = 900.0
"""What calls get at most to end that a peer serves when its address has gone."""


class Peer:
    """
    Opens its link when a call asks whether it is ready.

    Args:
        target: Where the peer is.
        open_carry: Opens a stream to it for a link.
        connect: Opens a channel to it, for calls with an RPC of their own.
        tally: Where what its links do is counted.
        on_break: Called when a link ended that was not meant to.
        has_tls: Said of links that cannot be opened.
    """

    def __init__(
        self,
        target: str,
        open_carry: Callable[[CarryReader], Awaitable[CallingConnection]],
        connect: Callable[[], grpc.aio.Channel],
        tally: Tally,
        on_break: Callable[[], None],
        *,
        has_tls: bool = False,
    ) -> None:
        self.target = target
        self.link: Link | None = None
        """None while there is none, and where the peer offers none."""
        self.opening: asyncio.Task[None] | None = None
        self.why = ""
        """Why the last attempt to open a link failed."""
        self.own_calls = 0
        """Calls in flight that have an RPC of their own."""
        self._tally = tally
        self._on_break = on_break
        self._has_tls = has_tls
        self._open_carry = open_carry
        self._connect = connect
        self._channel: grpc.aio.Channel | None = None
        """For calls with an RPC of their own; opened by the first of them."""
        self._plain: dict[str, Any] = {}
        self._candidate: Link | None = None
        self._draining: list[Link] = []
        self._backoff = FIRST_BACKOFF_SECONDS
        self._opened_at = self._left_at = 0.0
        self._retry_at = self._plain_until = 0.0

    def is_ready(self, now: float) -> bool:
        """Whether a call may be started without waiting; begins to open a link where it is time to."""
        if self.link is not None:
            return self.link.is_ready()
        if now < self._plain_until:
            return True
        if self.opening is None and now >= self._retry_at:
            self._candidate = Link(self._open_carry, self._on_leave, self._tally)
            self.opening = asyncio.create_task(self._open(self._candidate))
        return False

    @property
    def is_open(self) -> bool:
        return self.link is not None or time.monotonic() < self._plain_until

    @property
    def is_over(self) -> bool:
        """Whether a peer that was left has nothing more to do, or has had long enough."""
        is_busy = self.own_calls or self.opening or any(not link.has_ended for link in self._draining)
        return not is_busy or time.monotonic() > self._left_at + LEFT_SECONDS

    @property
    def in_flight(self) -> int:
        """Calls on its links that have not ended, those that drain included."""
        return sum(link.in_flight for link in (self.link, *self._draining) if link is not None)

    async def room(self) -> None:
        if self.link is not None:
            await self.link.ready()

    @contextmanager
    def plainly(self, contract: Contract, name: str) -> Iterator[Any]:
        """Give an RPC of the plain stub of a contract at this peer, which is kept as long as the block."""
        if self._channel is None:
            self._channel = self._connect()
        stub = self._plain.get(contract.name)
        if stub is None:
            stub = self._plain[contract.name] = plain_stub(contract, self._channel)
        if self.link is not None:
            self._tally.large += 1
        self.own_calls += 1
        try:
            yield getattr(stub, name)
        finally:
            self.own_calls -= 1

    def leave(self) -> None:
        """Let calls in flight end; `close` it when it is over."""
        self._left_at = time.monotonic()
        for link in (self._candidate, self.link):
            if link is not None:
                link.drain()

    async def close(self) -> None:
        if self.opening is not None:
            self.opening.cancel()
            await asyncio.wait([self.opening])
        links, self.link = (self._candidate, self.link, *self._draining), None
        for link in links:
            if link is not None:
                await link.close()
        if self._channel is not None:
            await self._channel.close()

    async def _open(self, link: Link) -> None:
        try:
            has_opened = await asyncio.shield(link.opened)
        finally:
            self.opening = None
        self._candidate = None
        if has_opened and not link.has_ended:
            self._tally.opened += 1
            self.why = ""
            self._opened_at = time.monotonic()
            if link.is_usable:
                self.link = link
            else:
                self._keep_draining(link)
        elif not link.is_offered:
            self._plain_until = time.monotonic() + WITHOUT_LINKS_SECONDS
        else:
            self._rest(link.why)

    def _on_leave(self, link: Link) -> None:
        if link is not self.link:
            return
        self.link = None
        has_lasted = time.monotonic() - self._opened_at > MOST_BACKOFF_SECONDS
        if has_lasted or not link.has_ended:
            self._backoff = FIRST_BACKOFF_SECONDS
        if not link.has_ended:
            self._keep_draining(link)
            return
        self._tally.breaks += 1
        if not has_lasted:
            self._rest(link.why)
        self._on_break()

    def _rest(self, why: str) -> None:
        """Open no link for a while, and for longer the next time; a link that lasts makes an end of that."""
        if why != self.why:
            how = " with mTLS" if self._has_tls else ""
            is_refused = self._has_tls and why.startswith(CLOSED)
            hint = "; the peer may have refused our certificate, its log says so" if is_refused else ""
            log.warning("no link to %s%s: %s%s", self.target, how, why, hint)
        self.why = why
        self._retry_at = time.monotonic() + self._backoff * random.uniform(0.8, 1.2)  # noqa: S311  spread, not secret
        self._backoff = min(MOST_BACKOFF_SECONDS, 2 * self._backoff)

    def _keep_draining(self, link: Link) -> None:
        self._draining = [link, *(other for other in self._draining if not other.has_ended)]
