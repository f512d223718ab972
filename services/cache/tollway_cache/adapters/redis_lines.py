"""
Connections to Redis, kept open for commands that are packed here; used by the Redis store.

The client's own way takes, checks and returns a connection for every command, and packs in Python.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hiredis import pack_command
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio import ConnectionPool
    from redis.asyncio.connection import AbstractConnection


class RedisLines:
    """
    Answers come in the order of the commands; commands must be idempotent, since some may be sent twice.

    Args:
        pool: Makes connections; none is kept in it.
        most: Connections in use at the same time.
    """

    def __init__(self, pool: ConnectionPool, most: int) -> None:
        self._pool = pool
        self._idle: list[AbstractConnection] = []
        self._may_ask = asyncio.Semaphore(most)

    async def ask(self, commands: Sequence[bytes]) -> list[object]:
        """
        Return the answers, or raise the first that is an error.

        A kept connection may have been closed by the server, by its `timeout` or a restart, which says nothing of the
        server as it is now: the commands then go over a new one. What breaks on a new connection is raised.
        """
        async with self._may_ask:
            while self._idle:
                line = self._idle.pop()
                try:
                    if not await line.can_read():  # of an idle one: it was closed
                        return await self._exchange(line, commands)
                except (RedisConnectionError, OSError):
                    pass
                await line.disconnect(nowait=True)
            return await self._exchange(self._pool.make_connection(), commands)  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)

    async def _exchange(self, line: AbstractConnection, commands: Sequence[bytes]) -> list[object]:
        # a connection that an error or a cancellation breaks off closes itself, and is forgotten
        await line.send_packed_command(commands, check_health=False)
        answers = [await _answer_of(line) for _ in commands]
        self._idle.append(line)
        for answer in answers:
            if isinstance(answer, ResponseError):
                raise answer
        return answers


async def _answer_of(line: AbstractConnection) -> object:
    """Return an answer, also one that is an error: others may follow it."""
    try:
        return await line.read_response()
    except ResponseError as error:
        return error


def packed(*parts: str | int | bytes) -> bytes:
    """Return a command as it is sent."""
    command: bytes = pack_command(parts)  # type: ignore[arg-type]  # its stub takes one part only
    return command
