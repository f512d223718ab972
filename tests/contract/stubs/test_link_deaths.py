"""Peers that are killed, restarted, or vanish, and what calls on links to them see of it."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from contract.stubs.chaos_calls import ChaosCalls, answered, in_turns, ms, tell, told
from contract.stubs.link_peer_process import peer_process
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.errors import Unavailable
from tollway_servicekit.link.http2 import keepalive
from tollway_servicekit.link.peers import open_links
from tollway_servicekit.stubs import link_stub

if TYPE_CHECKING:
    from tollway_servicekit.contract import Contract


async def test_a_peer_that_is_killed_again_and_again_loses_only_what_was_in_flight(
    contract: Contract, record_property: Any
) -> None:
    port = 0
    async with asyncio.timeout(100):
        async with peer_process() as (_, port):
            pass
        async with open_links(f"127.0.0.1:{port}") as links:
            stub = link_stub(contract, links)
            for number in range(3):
                async with peer_process(port) as (process, _):
                    found = time.perf_counter()
                    await answered(stub)
                    found_ms = ms(found)
                    calls = [
                        asyncio.ensure_future(
                            stub.ResolvePrompt(pb.ResolvePromptRequest(name="x"), timeout=90, metadata=told(delay=60))
                        )
                        for _ in range(500)
                    ]
                    await stub.ResolvePrompt(pb.ResolvePromptRequest(name="last"), timeout=90)
                    killed = time.perf_counter()
                    process.kill()
                    ends = await asyncio.gather(*calls, return_exceptions=True)
                    assert {type(end) for end in ends} == {Unavailable}
                    assert ms(killed) < 5000
                    tell(record_property, "killed peer", kill=number, all_ended_ms=ms(killed), found_again_ms=found_ms)


async def test_calls_go_on_beside_a_peer_that_dies(contract: Contract, record_property: Any, monkeypatch: Any) -> None:
    async with asyncio.timeout(100), peer_process() as (first, one), peer_process() as (_, two):

        async def resolve(address: str) -> list[str]:
            return [f"127.0.0.1:{one}", f"127.0.0.1:{two}"]

        monkeypatch.setattr("tollway_servicekit.link.peers.resolve", resolve)
        async with open_links("cache.tollway:50051") as links:
            caller = ChaosCalls(link_stub(contract, links), 4)
            await in_turns(caller, 500, 50)
            killing = asyncio.create_task(_kill_later(first, 0.2))
            await in_turns(caller, 3000, 50)
            await killing
            lost = sum(count for outcome, count in caller.outcomes.items() if "unavailable" in outcome)
            assert 0 < lost <= 60, "only calls that were in flight there may be lost"
            tell(record_property, "one of two peers killed", calls=3500, lost=lost)


async def _kill_later(process: asyncio.subprocess.Process, seconds: float) -> None:
    await asyncio.sleep(seconds)
    process.kill()


async def test_a_peer_that_vanishes_without_a_word_is_noticed(
    contract: Contract, record_property: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepalive, "KEEPALIVE_SECONDS", 0.3)
    async with asyncio.timeout(60), peer_process() as (process, port), open_links(f"127.0.0.1:{port}") as links:
        stub = link_stub(contract, links)
        await answered(stub)
        process.send_signal(signal.SIGSTOP)  # its connections stay, and nothing answers
        started = time.perf_counter()
        with pytest.raises(Unavailable):
            await stub.ResolvePrompt(pb.ResolvePromptRequest(name="x"), timeout=25, metadata=told(delay=60))
    tell(record_property, "vanished peer, keepalive of 300 ms", noticed_after_ms=ms(started))
