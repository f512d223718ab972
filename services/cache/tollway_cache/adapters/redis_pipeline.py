"""Commands to Redis, sent as they come and answered in that order, over one connection that is replaced as needed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from tollway_cache.adapters.redis_line import Asked, RedisLine
from tollway_cache.domain.ports import StoreUnavailable

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool

MOST_WAITING_BYTES = 16 * 2**20


class RedisPipeline:
    """
    Commands must be idempotent, since some may be sent twice.

    A connection may be closed by the server, by its `timeout` or a restart, which says nothing of the server as it is
    now: commands without an answer then go over a new one. What breaks again is given up.

    Args:
        pool: Makes connections; none is kept in it.
        seconds: What a command may take, connecting included; then all that wait for the same connection are given up.
    """

    def __init__(self, pool: ConnectionPool, seconds: float) -> None:
        self._pool = pool
        self._seconds = seconds
        self._line: RedisLine | None = None

    def ask(self, commands: bytes, count: int = 1) -> asyncio.Future[object]:
        """
        Send packed commands; return what becomes the answer, or the exception that stands for one.

        Raises:
            StoreUnavailable: Too much waits for the server already.
        """
        line = self._line or self._open()
        if line.waiting_bytes > MOST_WAITING_BYTES:
            raise StoreUnavailable(f"Redis does not keep up; {line.waiting_bytes} bytes wait for it")
        answer: asyncio.Future[object] = line.loop.create_future()
        line.send(Asked(commands, count, answer, line.loop.time() + self._seconds))
        return answer

    async def close(self) -> None:
        if line := self._line:
            line.end(RedisError("closed"))
            await asyncio.wait([line.keeper])

    def _open(self) -> RedisLine:
        self._line = RedisLine(self._pool.make_connection(), self._replace)  # type: ignore[no-untyped-call]
        return self._line

    def _replace(self, was_open: bool, error: Exception, left: list[Asked]) -> None:
        """Go on after a line has ended."""
        self._line = None
        may_be_sent_again = was_open and isinstance(error, (RedisConnectionError, OSError))
        for asked in left:
            if asked.answer.done():
                continue
            if may_be_sent_again and not asked.was_sent_before:
                line = self._line or self._open()
                line.send(Asked(asked.commands, asked.count, asked.answer, asked.due, was_sent_before=True))
            else:
                asked.answer.set_result(error)
