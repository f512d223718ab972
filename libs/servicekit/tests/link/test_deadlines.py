"""One timer holds the deadlines of many calls."""

from __future__ import annotations

import asyncio

from tollway_servicekit.link.deadlines import TICK_SECONDS, Deadlines


async def test_each_falls_due_at_its_time_and_no_earlier() -> None:
    loop = asyncio.get_running_loop()
    due: dict[int, float] = {}
    seconds = [0.2, 0.0, 0.05, 0.1, 0.05]
    all_due = asyncio.Event()

    def expire(number: int) -> None:
        due[number] = loop.time()
        if len(due) == len(seconds):
            all_due.set()

    deadlines = Deadlines(expire)
    start = loop.time()
    for number, each in enumerate(seconds):
        deadlines.set(number, each)
    async with asyncio.timeout(5):
        await all_due.wait()
    for number, each in enumerate(seconds):
        assert due[number] - start >= each
    assert sorted(due, key=lambda number: due[number])[-2:] == [3, 0]


async def test_what_was_cleared_never_falls_due() -> None:
    due: list[int] = []
    deadlines = Deadlines(due.append)
    for number in range(100):
        deadlines.set(number, 0.03)
        deadlines.clear(number, 0.03)
    last = asyncio.Event()
    Deadlines(lambda number: last.set()).set(1, 0.06)
    await last.wait()
    assert due == []


async def test_a_deadline_may_be_cleared_or_set_by_another_that_falls_due() -> None:
    due: list[int] = []
    done = asyncio.Event()

    def expire(number: int) -> None:
        due.append(number)
        if number == 1:
            deadlines.clear(2, 0.2)
            deadlines.set(3, 0.0)
        else:
            done.set()

    deadlines = Deadlines(expire)
    deadlines.set(1, 0.02)
    deadlines.set(2, 0.2)
    async with asyncio.timeout(5):
        await done.wait()
    assert due == [1, 3]


async def test_one_that_is_cleared_by_another_of_the_same_time_never_falls_due() -> None:
    due: list[int] = []
    last = asyncio.Event()

    def expire(number: int) -> None:
        due.append(number)
        deadlines.clear(number + 1, 0.02)
        if number == 3:
            last.set()

    deadlines = Deadlines(expire)
    for number in (1, 2, 3):
        deadlines.set(number, 0.02)
    async with asyncio.timeout(5):
        await last.wait()
    assert due == [1, 3]


async def test_closing_ends_them_all() -> None:
    due: list[int] = []
    deadlines = Deadlines(due.append)
    deadlines.set(1, 0.0)
    deadlines.close()
    await asyncio.sleep(3 * TICK_SECONDS)
    assert due == []


async def test_one_that_has_passed_already_falls_due_at_once() -> None:
    due = asyncio.Event()
    deadlines = Deadlines(lambda number: due.set())
    deadlines.set(1, -60.0)
    async with asyncio.timeout(5):
        await due.wait()
    assert deadlines._timer is None or deadlines._due == {}
