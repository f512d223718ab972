"""
One connection to Redis that carries many commands at once, made by redis-py; used by the Redis pipeline.

redis-py would take and return a connection for each command, and its streams cost each answer a task's turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import chain
from typing import TYPE_CHECKING, cast

import msgspec
from hiredis import PushNotification, Reader
from redis.asyncio.connection import DefaultParser
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse
from redis.exceptions import TimeoutError as RedisTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio.connection import AbstractConnection

MOST_TURNS = 4
"""Of the loop, for which commands wait for those of other calls."""

_NOT_YET = object()


class Asked(msgspec.Struct):
    """Commands that somebody waits for; of several, the answer is the first that is an error, else the last."""

    commands: bytes
    count: int
    answer: asyncio.Future[object]
    """Takes an error as a value too: nobody need look at it."""
    due: float
    """In the loop's time."""
    was_sent_before: bool = False
    answers_seen: int = 0
    error: Exception | None = None


class RedisLine(asyncio.Protocol):
    """
    Opens itself; commands that come meanwhile wait. Ends once, for good.

    Of all that a command costs, the call of the system that sends it is the most. So commands of one turn of the loop
    leave together, with those of the next turns while each brings more, and with those that come while others are on
    their way. A turn lasts as long as there is work for other calls: a command that is alone leaves at once.

    Args:
        connection: Not connected yet.
        on_end: Told whether it was open, why it ended, and what it left without an answer.
    """

    def __init__(self, connection: AbstractConnection, on_end: Callable[[bool, Exception, list[Asked]], None]) -> None:
        self.loop = asyncio.get_running_loop()
        self.waiting_bytes = 0
        """Of the commands that have no answer."""
        self._on_end = on_end
        self._unsent: list[Asked] = []
        self._is_gathering = False
        self._sent: deque[Asked] = deque()  # answered in this order
        self._reader = Reader(InvalidResponse, DefaultParser.parse_error, notEnoughData=_NOT_YET)
        self._transport: asyncio.Transport | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._is_ended = False
        self.keeper = self.loop.create_task(self._keep(connection))
        """Ends after the line, when the connection is closed."""

    def send(self, asked: Asked) -> None:
        self._unsent.append(asked)
        if not self._sent and not self._is_gathering:
            self._gather()
        self.waiting_bytes += len(asked.commands)
        if self._watch is None:
            self._watch = self.loop.call_at(asked.due, self._look_at_clock)

    def end(self, error: Exception) -> None:
        if self._is_ended:
            return
        self._is_ended = True
        left = [*self._sent, *self._unsent]
        self._unsent.clear()
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()
        if asyncio.current_task() is not self.keeper:
            self.keeper.cancel()
        self._on_end(self._transport is not None, error, left)

    def data_received(self, data: bytes) -> None:
        gets, hand_out = self._reader.gets, self._hand_out
        try:
            self._reader.feed(data)
            while (answer := gets()) is not _NOT_YET:
                hand_out(answer)
        except (InvalidResponse, IndexError, ValueError):  # or answers that nobody asked for
            self.end(RedisConnectionError("it does not speak as Redis does"))
        else:
            if self._unsent and not self._is_gathering:
                self._gather()

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(exc or RedisConnectionError("it closed the connection"))

    def _hand_out(self, answer: object) -> None:
        if isinstance(answer, PushNotification):  # news of the server, for clients that want them
            return
        asked = self._sent[0]
        if asked.count > 1:
            asked.answers_seen += 1
            if asked.answers_seen < asked.count:
                if asked.error is None and isinstance(answer, Exception):
                    asked.error = answer
                return
        self._sent.popleft()
        self.waiting_bytes -= len(asked.commands)
        if not asked.answer.done():  # else nobody waits any more
            asked.answer.set_result(asked.error or answer)

    def _gather(self, turns: int = 0) -> None:
        self._is_gathering = True
        self.loop.call_soon(self._leave, len(self._unsent), turns + 1)

    def _leave(self, count: int, turns: int) -> None:
        """Send what came, unless the turn brought more to the so many commands that there were before it."""
        if len(self._unsent) > count and turns < MOST_TURNS:
            self._gather(turns)
        else:
            self._is_gathering = False
            self._flush()

    def _flush(self) -> None:
        if self._unsent and self._transport is not None:
            self._transport.write(b"".join([asked.commands for asked in self._unsent]))
            self._sent.extend(self._unsent)
            self._unsent.clear()

    def _look_at_clock(self) -> None:
        self._watch = None
        if eldest := next(chain(self._sent, self._unsent), None):
            if eldest.due <= self.loop.time():
                self.end(RedisTimeoutError("it did not answer in time"))
            else:
                self._watch = self.loop.call_at(eldest.due, self._look_at_clock)

    async def _keep(self, connection: AbstractConnection) -> None:
        """Hold on to redis-py's connection until the line ends: it opens it, and closes it."""
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            if await connection.can_read():
                raise RedisConnectionError("it said something that was not asked")
            self._take_over(connection)
            await self.loop.create_future()
        except Exception as error:
            self.end(error)
        finally:
            await connection.disconnect(nowait=True)

    def _take_over(self, connection: AbstractConnection) -> None:
        # redis-py has no public name for it; that nothing is left in its buffers was seen in this very turn
        transport = cast("asyncio.Transport", connection._writer.transport)  # type: ignore[union-attr]  # noqa: SLF001
        transport.set_protocol(self)
        self._transport = transport
        self._flush()
