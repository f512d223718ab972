"""Reads that are wanted together travel together, and each gets its own value."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tollway_cache.adapters.joined_reads import MOST_IN_FLIGHT, MOST_KEYS, JoinedReads

if TYPE_CHECKING:
    from collections.abc import Sequence


class Server:
    """Answers when told to; value of `key` is b"key"."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.was_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.fails = False

    async def fetch(self, keys: Sequence[str]) -> list[bytes | None]:
        self.asked.append(list(keys))
        self.was_asked.set()
        await self.may_answer.wait()
        if self.fails:
            raise ConnectionError("gone")
        return [None if key == "absent" else key.encode() for key in keys]


async def test_reads_of_one_moment_share_a_round_trip_and_get_their_own_values() -> None:
    server = Server()
    server.may_answer.set()
    reads = JoinedReads(server.fetch)
    values = await asyncio.gather(*(reads.read(key) for key in ("a", "b", "absent", "a")))
    assert values == [b"a", b"b", None, b"a"]
    assert server.asked == [["a", "b", "absent", "a"]]
    assert reads.is_idle


async def test_reads_that_come_while_others_are_on_their_way_wait_for_the_next_round_trip() -> None:
    server = Server()
    reads = JoinedReads(server.fetch)
    tasks = []
    for number in range(5):
        tasks.append(asyncio.create_task(reads.read(str(number))))
        if number < MOST_IN_FLIGHT:
            await server.was_asked.wait()
            server.was_asked.clear()
    assert server.asked == [["0"], ["1"]]
    server.may_answer.set()
    assert await asyncio.gather(*tasks) == [b"0", b"1", b"2", b"3", b"4"]
    assert server.asked[2:] == [["2", "3", "4"]]


async def test_a_failed_round_trip_fails_its_readers_and_no_later_ones() -> None:
    server = Server()
    server.may_answer.set()
    server.fails = True
    reads = JoinedReads(server.fetch)
    outcomes = await asyncio.gather(reads.read("a"), reads.read("b"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError, ConnectionError]
    server.fails = False
    assert await reads.read("c") == b"c"


async def test_a_reader_that_leaves_takes_nobody_with_it() -> None:
    server = Server()
    reads = JoinedReads(server.fetch)
    leaving, staying = asyncio.create_task(reads.read("a")), asyncio.create_task(reads.read("b"))
    await server.was_asked.wait()
    leaving.cancel()
    server.may_answer.set()
    assert await staying == b"b"
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_a_round_trip_is_bounded() -> None:
    server = Server()
    server.may_answer.set()
    reads = JoinedReads(server.fetch)
    await asyncio.gather(*(reads.read(str(number)) for number in range(3 * MOST_KEYS)))
    assert max(len(keys) for keys in server.asked) == MOST_KEYS


async def test_an_answer_of_another_length_fails_its_readers_and_no_later_ones() -> None:
    answers = [[], [b"x", b"y"], [b"z"]]

    async def fetch(_keys: object) -> list[bytes | None]:
        return answers.pop(0)

    reads = JoinedReads(fetch)
    for _ in range(2):
        with pytest.raises(ValueError, match="zip"):
            await reads.read("a")
    assert await reads.read("a") == b"z"
    assert reads.is_idle
