"""The watch: the present state at once, the newest after a change, and an end."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from tollway_metering.domain.workspaces import Workspace, WorkspaceDirectory


async def test_a_watcher_sees_the_present_state_and_then_each_change() -> None:
    directory = WorkspaceDirectory()
    directory.publish([Workspace("a", (), 0)])
    async with asyncio.timeout(5), aclosing(directory.watch()) as snapshots:
        assert (await anext(snapshots)).workspaces == (Workspace("a", (), 0),)
        directory.publish([Workspace("b", (), 1)])
        snapshot = await anext(snapshots)
        assert (snapshot.revision, snapshot.workspaces) == (2, (Workspace("b", (), 1),))


async def test_a_slow_watcher_skips_to_the_newest_state() -> None:
    directory = WorkspaceDirectory()
    async with asyncio.timeout(5), aclosing(directory.watch()) as snapshots:
        await anext(snapshots)
        for cap in range(5):
            directory.publish([Workspace("a", (), cap)])
        assert (await anext(snapshots)).workspaces[0].monthly_token_cap == 4


async def test_ending_the_watches_ends_every_one() -> None:
    directory = WorkspaceDirectory()

    async def watch() -> int:
        return len([snapshot async for snapshot in directory.watch()])

    watchers = [asyncio.create_task(watch()) for _ in range(3)]
    await asyncio.sleep(0)
    directory.end_watches()
    assert await asyncio.wait_for(asyncio.gather(*watchers), 5) == [1, 1, 1]
