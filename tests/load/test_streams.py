"""Hundreds of streams through one edge at once: those who read slowly, or not at all, hold up nobody else."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from gateway import Gateway, running
from load.readers import ABANDONED, FAST, LATE, PACE, PROBE, SLOW, UNREAD, Kind, Stream
from load.usage import Usage, enough_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TOPOLOGIES = ("compact", "distributed")
STREAMS = int(os.environ.get("TOLLWAY_STREAMS", "60"))
MOST_STREAMS = 900  # the ledger's latest calls are asked for in one answer of at most 1000
MIXED = {FAST: 0.6, SLOW: 0.2, LATE: 0.1, ABANDONED: 0.1}
CONTROLS = 5
AT_ONCE = 50
"""Long answers asked for at once; the simulator makes each whole, and its first word must come before a time limit."""
CALM_SECONDS = 0.1
PATIENCE_SECONDS = 120
MOST_SHARED = 16 * 1024 * 1024
"""What does not grow with the streams: answers kept for the cache, 4 MiB by config.yaml, and warm allocators."""
MOST_KIB = {"compact": 45, "distributed": 90}
"""What a stream holds beside that in all processes, the mean over all kinds of readers."""
MOST_UNREAD_KIB = {"compact": 130, "distributed": 200}


@pytest.fixture(
    scope="module",
    params=[pytest.param(topology, marks=pytest.mark.xdist_group(f"load-{topology}")) for topology in TOPOLOGIES],
)
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    assert STREAMS <= MOST_STREAMS
    with enough_files(STREAMS) as is_enough:
        if not is_enough:
            pytest.skip(f"the limit of open files is too low for {STREAMS} streams: ulimit -n")
        with running(request.param, tmp_path_factory.mktemp("load"), LOG_LEVEL="warning") as started:
            yield started


async def test_a_reader_that_never_reads_holds_little(gateway: Gateway) -> None:
    usage = Usage(gateway.pids)
    streams: list[Stream] = []
    held = []
    try:
        for _ in range(2):  # the first ones warm up what all share
            before = usage.now()
            some = _streams({UNREAD: 1.0}, STREAMS)
            streams += some
            for start in range(0, STREAMS, AT_ONCE):
                await asyncio.gather(*(_begin(stream, gateway) for stream in some[start : start + AT_ONCE]))
            held.append((await usage.settled() - before) / 1024 / STREAMS)
    finally:
        for stream in streams:
            stream.close()
    print(f"\n{gateway.topology}: {held[1]:.0f} KiB in all processes for a stream that nobody reads")
    assert held[1] < MOST_UNREAD_KIB[gateway.topology]


async def _begin(stream: Stream, gateway: Gateway) -> None:
    await stream.ask(gateway.url, gateway.key)
    await stream.first_byte()


async def test_many_streams_keep_their_pace(gateway: Gateway) -> None:
    await _serve_all({FAST: 1.0}, gateway)


async def test_readers_that_are_slow_or_stuck_hold_up_nobody_else(gateway: Gateway) -> None:
    await _serve_all(MIXED, gateway)


async def _serve_all(shares: Mapping[Kind, float], gateway: Gateway) -> None:
    await asyncio.gather(*(_probe(gateway) for _ in range(20)))  # imports, pools, allocator
    before = {row["query_id"] for row in await asyncio.to_thread(gateway.recent, 1000)}
    usage = Usage(gateway.pids)
    streams = _streams(shares, STREAMS)
    controls = await _run(gateway, streams, usage)
    fast = [stream for stream in streams if stream.kind is FAST]
    _report(gateway, streams, controls, usage)
    for stream in streams:
        if stream.kind is not ABANDONED:
            stream.assert_whole()
    # this process and the simulator may have been held up themselves: what was read past the gateway tells
    assert max(one.longest_gap for one in fast) < 4 * PACE + max(one.longest_gap for one in controls)
    assert sum(usage.grown().values()) < MOST_SHARED + MOST_KIB[gateway.topology] * 1024 * len(streams)
    assert max(one.seconds for one in fast) < 4 * PACE + 1.2 * max(one.seconds for one in controls)
    await _assert_booked_once(gateway, streams, before)


def _streams(shares: Mapping[Kind, float], count: int) -> list[Stream]:
    return [Stream(kind) for kind, share in shares.items() for _ in range(round(share * count))]


async def _run(gateway: Gateway, streams: Sequence[Stream], usage: Usage | None = None) -> list[Stream]:
    """Ask everything, the fast readers last; return streams that were read past the gateway beside these."""
    controls = [Stream(FAST) for _ in range(CONTROLS)]
    watcher = asyncio.create_task(usage.watch()) if usage else None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as reading:
            for stream in streams:
                if stream.kind is not FAST:
                    await stream.ask(gateway.url, gateway.key)
                    if stream.kind is SLOW:
                        reading.create_task(stream.read())
            # their answers come all at once; what is read ahead of them costs CPU, which is not what is watched here
            while await _probe(gateway) > CALM_SECONDS:
                pass
            await asyncio.gather(
                *(_ask_and_read(stream, gateway.url, gateway.key) for stream in streams if stream.kind is FAST),
                *(_ask_and_read(stream, gateway.simulator_url, gateway.key) for stream in controls),
            )
            await asyncio.gather(*(stream.read() for stream in streams if stream.kind is LATE))
    finally:
        if watcher:
            watcher.cancel()
        for stream in (*streams, *controls):
            stream.close()
    return controls


async def _probe(gateway: Gateway) -> float:
    """Return the seconds that a small call takes."""
    stream = Stream(PROBE)
    await _ask_and_read(stream, gateway.url, gateway.key)
    stream.close()
    return stream.moments[-1] - stream.asked_at


async def _ask_and_read(stream: Stream, url: str, key: str) -> None:
    await stream.ask(url, key)
    await stream.read()


async def _assert_booked_once(gateway: Gateway, streams: Sequence[Stream], before: set[str]) -> None:
    rows = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(rows) < len(streams) and time.monotonic() < deadline:
        latest = await asyncio.to_thread(gateway.recent, 1000)
        rows = [row for row in latest if row["query_id"] not in before and row["model"] != PROBE.model]
    assert len(rows) == len(streams)
    by_id = {row["query_id"]: row for row in rows}
    assert len(by_id) == len(rows), "a call was booked twice"
    for stream in streams:
        if stream.kind is not ABANDONED:
            row = by_id.pop(stream.query_id)
            assert (row["status"], row["usage"]["output_tokens"]) == ("succeeded", stream.kind.words)
    # nobody read these to their end, so they are no success, whatever was read ahead for them
    assert {row["status"] for row in by_id.values()} <= {"cancelled", "failed"}


def _report(gateway: Gateway, streams: Sequence[Stream], controls: Sequence[Stream], usage: Usage) -> None:
    """Print figures; they are for reading, what must hold is asserted."""
    kinds = {kind: [stream for stream in streams if stream.kind is kind] for kind in MIXED}
    told = ", ".join(f"{len(some)} {kind.name}" for kind, some in kinds.items() if some)
    print(f"\n{gateway.topology}: {len(streams)} streams at once, {told}")
    first = sorted(stream.moments[0] - stream.asked_at for stream in kinds[FAST])
    print(f"  first byte of fast streams: median {first[len(first) // 2]:.2f} s, latest {first[-1]:.2f} s")
    for name, some in (("fast streams", kinds[FAST]), ("past the gateway", controls)):
        gap, seconds = max(one.longest_gap for one in some), max(one.seconds for one in some)
        print(f"  {name}: longest gap {gap * 1000:.0f} ms at a pace of {PACE:g} s, longest {seconds:.1f} s")
    grown, cpu = usage.grown(), usage.cpu_seconds()
    events = sum(stream.kind.words for stream in streams if stream.kind is not ABANDONED)
    for name, some in (("edge's process", "compact" if "compact" in grown else "edge"), ("all processes", None)):
        memory = sum(size for process, size in grown.items() if some in (None, process)) / 1024 / len(streams)
        micros = sum(used for process, used in cpu.items() if some in (None, process)) * 1e6 / events
        print(f"  {name}: {memory:.0f} KiB a stream, {micros:.0f} µs of CPU an event ({events} events)")
