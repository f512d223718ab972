"""Watches that end when the service does; used by the servicer."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

Item = TypeVar("Item")


class Watches:
    """Ends every watch at once, so that a server that stops need not wait for them."""

    def __init__(self) -> None:
        self._ended = asyncio.Event()

    def end(self) -> None:
        self._ended.set()

    async def each(self, items: AsyncGenerator[Item, None]) -> AsyncGenerator[Item, None]:
        """Yield what the watch brings."""
        ended = asyncio.ensure_future(self._ended.wait())
        async with aclosing(items):
            try:
                while True:
                    coming = asyncio.ensure_future(anext(items))
                    try:
                        await asyncio.wait({coming, ended}, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        if ended.done() or not coming.done():
                            coming.cancel()
                            await asyncio.gather(coming, return_exceptions=True)
                    if ended.done():
                        return
                    yield coming.result()
            except StopAsyncIteration:
                return
            finally:
                ended.cancel()
