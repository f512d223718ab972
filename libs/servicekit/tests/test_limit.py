"""A limit ends what runs in its block, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from tollway_servicekit.limit import Limit, Limits, SharedLimit, StreamLimit


async def test_what_takes_too_long_is_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        with Limit(0.01):
            await asyncio.Event().wait()


@pytest.mark.parametrize("seconds", [5, None])
async def test_what_ends_in_time_is_left_alone(seconds: float | None) -> None:
    with Limit(seconds) as limit:
        await asyncio.sleep(0)
    assert not limit.has_expired


def shared(seconds: float) -> SharedLimit:
    return SharedLimit(Limits(seconds))


@pytest.mark.parametrize("kind", [Limit, StreamLimit, shared])
async def test_a_cancellation_from_elsewhere_stays_one(
    kind: Callable[[float], Limit | StreamLimit | SharedLimit],
) -> None:
    async def wait() -> None:
        with kind(5):
            await asyncio.Event().wait()

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_each_block_that_shares_a_limit_ends_in_its_own_time() -> None:
    loop, limits, ended = asyncio.get_running_loop(), Limits(0.05), []

    async def run(name: str, until: asyncio.Event) -> None:
        began = loop.time()
        try:
            with SharedLimit(limits):
                await until.wait()
        except TimeoutError:
            ended.append((name, loop.time() - began >= 0.049))

    done, never = asyncio.Event(), asyncio.Event()
    first = [asyncio.create_task(run("first", never)), asyncio.create_task(run("in time", done))]
    await asyncio.sleep(0.02)
    later = asyncio.create_task(run("later", never))
    done.set()
    await asyncio.gather(*first)
    assert ended == [("first", True)]
    await later
    assert ended == [("first", True), ("later", True)]
    assert not limits.running


async def test_blocks_that_share_a_limit_share_a_timer_which_is_set_anew_only_once_it_has_fired() -> None:
    limits = Limits(0.01)
    with SharedLimit(limits):
        timer = limits.timer
    with SharedLimit(limits) as limit:
        assert limits.timer is timer
    assert not limit.has_expired
    fired = asyncio.Event()
    asyncio.get_running_loop().call_later(0.02, fired.set)
    await fired.wait()
    assert limits.timer is None
    with pytest.raises(TimeoutError):
        with SharedLimit(limits):
            await asyncio.Event().wait()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_limit_of_a_stream_holds_over_all_blocks_together_and_not_between_them() -> None:
    limit = StreamLimit(0.02)
    with limit:
        await asyncio.sleep(0)
    expired = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.04, expired.set_result, None)
    await expired  # the reader's own waiting is not cut
    with pytest.raises(TimeoutError):
        with limit:
            pytest.fail("nothing runs in it any more")
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_limit_of_a_stream_cuts_the_block_that_runs() -> None:
    limit = StreamLimit(0.01)
    with pytest.raises(TimeoutError):
        with limit:
            await asyncio.Event().wait()
    assert limit.has_expired


async def test_a_closed_limit_never_fires() -> None:
    limit = StreamLimit(0.01)
    limit.close()
    with limit:
        await asyncio.sleep(0.02)
    assert not limit.has_expired
