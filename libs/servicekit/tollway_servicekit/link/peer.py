"""One peer: its channel, its link, and when a broken link is tried again. Kept by `peers`."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from tollway_servicekit.channel import open_channel
from tollway_servicekit.link.client import Link
from tollway_servicekit.stubs.plain import plain_stub

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_servicekit.contract import Contract

FIRST_BACKOFF_SECONDS = 0.1
MOST_BACKOFF_SECONDS = 2.0
WITHOUT_LINKS_SECONDS = 30.0
"""A peer that has no links, e.g. one of an older release, is called plainly for so long, then asked again."""
LEFT_SECONDS = 900.0
"""What calls get to end that a peer serves when its address has gone."""


class Peer:
    """
    Opens its link when a call asks whether it is ready.

    Args:
        target: Where the peer is, as gRPC takes it.
        on_break: Called when a link ended that was not meant to.
    """

    def __init__(self, target: str, on_break: Callable[[], None]) -> None:
        self.target = target
        self.link: Link | None = None
        """None while there is none, and where the peer offers none."""
        self.opening: asyncio.Task[None] | None = None
        self.why = ""
        """Why the last attempt to open a link failed."""
        self._on_break = on_break
        self._channel = open_channel(target)
        self._plain: dict[str, Any] = {}
        self._candidate: Link | None = None
        self._draining: list[Link] = []
        self._backoff = FIRST_BACKOFF_SECONDS
        self._retry_at = 0.0
        self._plain_until = 0.0
        self._left_at = 0.0

    def is_ready(self, now: float) -> bool:
        """Whether a call may be started without waiting; begins to open a link where it is time to."""
        if self.link is not None:
            return self.link.is_ready
        if now < self._plain_until:
            return True
        if self.opening is None and now >= self._retry_at:
            self._candidate = Link(self._channel, self._on_leave)
            self.opening = asyncio.create_task(self._open(self._candidate))
        return False

    @property
    def is_open(self) -> bool:
        return self.link is not None or time.monotonic() < self._plain_until

    @property
    def is_over(self) -> bool:
        """Whether a peer that was left has nothing more to do."""
        return time.monotonic() > self._left_at + LEFT_SECONDS

    async def room(self) -> None:
        if self.link is not None:
            await self.link.ready()

    def plain(self, contract: Contract) -> Any:
        """Return the plain stub of a contract at this peer."""
        stub = self._plain.get(contract.name)
        if stub is None:
            stub = self._plain[contract.name] = plain_stub(contract, self._channel)
        return stub

    def leave(self) -> None:
        """Let calls in flight end; `close` it when it is over."""
        self._left_at = time.monotonic()
        if self.link is not None:
            self.link.drain()

    async def close(self) -> None:
        if self.opening is not None:
            self.opening.cancel()
            await asyncio.wait([self.opening])
        for link in (self._candidate, self.link, *self._draining):
            if link is not None:
                await link.close()
        await self._channel.close()

    async def _open(self, link: Link) -> None:
        try:
            has_opened = await asyncio.shield(link.opened)
        finally:
            self.opening = None
        self._candidate = None
        if has_opened:
            self._backoff = FIRST_BACKOFF_SECONDS
            if link.is_usable:
                self.link = link
            else:
                self._keep_draining(link)
        elif not link.is_offered:
            self._plain_until = time.monotonic() + WITHOUT_LINKS_SECONDS
        else:
            self.why = link.why
            self._retry_at = time.monotonic() + self._backoff
            self._backoff = min(MOST_BACKOFF_SECONDS, 2 * self._backoff)

    def _on_leave(self, link: Link) -> None:
        if link is not self.link:
            return
        self.link = None
        if link.has_ended:
            self._on_break()
        else:
            self._keep_draining(link)

    def _keep_draining(self, link: Link) -> None:
        self._draining = [link, *(other for other in self._draining if not other.has_ended)]
