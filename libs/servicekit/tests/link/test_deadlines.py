"""One timer holds the deadlines of many calls."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from tollway_servicekit.link.deadlines import TICK_SECONDS, Deadlines


@dataclass
class Call:
    due: float


class Calls(dict[int, Call]):
    """Calls in flight, which end when they are due."""

    def __init__(self) -> None:
        self.over: dict[int, float] = {}
        self.ended = asyncio.Event()
        self.ends_with: dict[int, list[int]] = {}
        """Others that end with one."""
        self.deadlines = Deadlines(self, self.expire)

    def begin(self, number: int, seconds: float) -> None:
        self[number] = Call(self.deadlines.after(seconds))

    def expire(self, number: int) -> None:
        for each in (number, *self.ends_with.get(number, ())):
            self.pop(each, None)
        self.over[number] = asyncio.get_running_loop().time()
        self.ended.set()

    async def all_ended(self) -> None:
        async with asyncio.timeout(5):
            while self:
                self.ended.clear()
                await self.ended.wait()


async def test_each_falls_due_at_its_time_and_no_earlier() -> None:
    calls, start = Calls(), asyncio.get_running_loop().time()
    seconds = [0.2, 0.0, 0.05, 0.1, 0.05]
    for number, each in enumerate(seconds):
        calls.begin(number, each)
    await calls.all_ended()
    assert all(calls.over[number] - start >= each for number, each in enumerate(seconds))
    assert list(calls.over)[-2:] == [3, 0]


async def test_one_that_comes_later_and_is_due_sooner_is_not_late() -> None:
    calls, loop = Calls(), asyncio.get_running_loop()
    calls.begin(1, 60.0)
    calls.begin(2, 0.05)
    due = calls[2].due
    await calls.ended.wait()
    assert (list(calls), list(calls.over)) == ([1], [2])
    assert due <= loop.time() < due + 1


async def test_what_has_ended_never_falls_due() -> None:
    calls = Calls()
    for number in range(100):
        calls.begin(number, 0.03)
        del calls[number]
    calls.begin(100, 0.06)
    await calls.all_ended()
    assert list(calls.over) == [100]


async def test_one_that_ends_with_another_never_falls_due() -> None:
    calls = Calls()
    calls.ends_with = {1: [2], 3: [4]}
    for number in (1, 2, 3, 4):
        calls.begin(number, 0.02)
    await calls.all_ended()
    assert sorted(calls.over) == [1, 3]


async def test_one_that_begins_as_another_falls_due_does_so_in_turn() -> None:
    calls = Calls()
    expire = calls.expire

    def expire_and_begin(number: int) -> None:
        expire(number)
        if number == 1:
            calls.begin(2, 0.0)

    calls.deadlines = Deadlines(calls, expire_and_begin)
    calls.begin(1, 0.02)
    await calls.all_ended()
    assert list(calls.over) == [1, 2]


async def test_closing_ends_them_all() -> None:
    calls = Calls()
    calls.begin(1, 0.0)
    calls.deadlines.close()
    await asyncio.sleep(3 * TICK_SECONDS)
    assert calls.over == {}


async def test_one_that_has_passed_already_falls_due_at_once() -> None:
    calls = Calls()
    calls.begin(1, -60.0)
    await calls.all_ended()
    assert list(calls.over) == [1]


async def test_many_that_come_and_go_are_looked_at_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, looks = Calls(), []
    look = calls.deadlines._look
    monkeypatch.setattr(calls.deadlines, "_look", lambda: (looks.append(1), look()))
    for number in range(1000):
        calls.begin(number, 0.1)
        calls.pop(number - 10, None)
        if not number % 100:
            await asyncio.sleep(0.01)
    await calls.all_ended()
    assert len(looks) <= 10
