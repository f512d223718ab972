"""
A stream that runs: its events are read as they come, and those that bring nothing new go straight to who reads them.

Used by `dispatch` from the first word on. Such an event wakes nobody here: it is handed on within the read that brought
it, from the HTTP client to the reader's own `hand_on`, where there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_provider_dispatch.domain.call import Piece

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from tollway_dialects.dialect import StreamReader

    from tollway_provider_dispatch.domain.trying.opening import Opening
    from tollway_provider_dispatch.domain.trying.rescue import Kept

    HandOn: TypeAlias = Callable[[bytes, int], bool]
    """Takes whole events, and the tokens counted so far; false: they are taken, but more must wait."""

MOST_AT_ONCE = 64 * 1024
"""Bytes of events that are handed on."""


class Running:
    """
    What comes of a stream between its first word and its end.

    Args:
        opened: The stream.
        kept: Gets what is handed on; None where nobody could take the stream on.
        hand_on: Where events go that are nothing but that; None: to who iterates.
    """

    __slots__ = ("_hand_on", "_is_over", "_kept", "_opened", "_reader", "_told", "rest")

    def __init__(self, opened: Opening, kept: Kept | None, hand_on: HandOn | None) -> None:
        # the end is told with the final event, so an answer that is there already waits for it
        self.rest = opened.held if opened.reader.is_complete else b""
        """Events that were read, and not handed on yet."""
        self._is_over = opened.reader.is_complete
        self._opened = opened
        self._reader: StreamReader = opened.reader
        self._told = opened.reader.told
        self._kept = kept
        self._hand_on = hand_on

    async def go_on(self) -> Piece | None:
        """
        Return what is to be told next; nothing once it is over and `rest` is all that is left.

        A piece without data says that who reads must be waited for. Raises `UpstreamBroken`.
        """
        if self._is_over:
            return None
        self.rest = b""
        if not await self._opened.answer.pass_on(self._take):
            self.rest, self._is_over = self._opened.finish(), True
        if self._is_over:
            return None
        reader = self._reader
        if reader.told is self._told:
            return Piece(data=self.rest, output_so_far=reader.streamed)
        self._told = reader.told
        return Piece(data=self.rest, usage=reader.usage)

    def _take(self, data: bytes) -> bool:
        reader = self._reader
        events = reader.feed(data)
        if reader.is_complete or reader.error:
            self.rest, self._is_over = events, True
            return False
        if not events:
            return True
        goes_on = False
        # usage is told anew where the provider did so; what is large goes the way on which it can wait
        if self._hand_on is None or reader.told is not self._told or len(events) > MOST_AT_ONCE:
            self.rest = events
        else:
            goes_on = self._hand_on(events, reader.streamed)
        if self._kept is not None:
            self._kept.add(events)
        return goes_on
