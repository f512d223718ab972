"""What leaves on a connection: at once where it is alone, in one write with what comes in the same turn."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from edge_peer import request
from tollway_edge.entrypoints.outgoing import MOST_UNSENT_BYTES, Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable


class Turns:
    """A loop whose turns a test ends, and a transport that notes each write."""

    def __init__(self) -> None:
        self.now = 1.0
        self.writes: list[bytes] = []
        self.is_left = False
        self._soon: list[Callable[[], None]] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Callable[[], None]) -> None:
        self._soon.append(callback)

    def end(self) -> None:
        soon, self._soon = self._soon, []
        for callback in soon:
            callback()
        self.now += 1.0

    def write(self, data: bytes) -> None:
        assert not self.is_left
        self.writes.append(data)

    def is_closing(self) -> bool:
        return self.is_left

    def set_write_buffer_limits(self, high: int) -> None:
        assert high == MOST_UNSENT_BYTES


@pytest.fixture
def turns() -> Turns:
    return Turns()


@pytest.fixture
def outgoing(turns: Any) -> Outgoing:
    return Outgoing(turns, turns, SimpleNamespace(write_paused=False))


def test_the_first_of_each_turn_leaves_at_once_and_what_follows_it_leaves_together(
    outgoing: Outgoing, turns: Turns
) -> None:
    for _ in range(2):
        for data in (b"1", b"2", b"3"):
            assert outgoing.send(data)
        turns.end()
    assert turns.writes == [b"1", b"23"] * 2
    assert outgoing.written == 6


def test_what_is_put_leaves_with_what_follows_it_and_never_behind_it(outgoing: Outgoing, turns: Turns) -> None:
    outgoing.put(b"1")
    outgoing.send(b"2")
    assert turns.writes == []
    turns.end()
    outgoing.put(b"3")
    outgoing.flush()
    turns.end()
    assert turns.writes == [b"12", b"3"]


def test_no_more_is_gathered_than_may_be(outgoing: Outgoing, turns: Turns) -> None:
    outgoing.put(b"x" * MOST_UNSENT_BYTES)
    assert turns.writes == []
    outgoing.put(b"y")
    outgoing.put(b"z")
    assert turns.writes == [b"x" * MOST_UNSENT_BYTES + b"y"]


def test_a_client_that_is_behind_is_told_of_with_what_leaves_and_with_what_is_gathered(turns: Any) -> None:
    outgoing = Outgoing(turns, turns, SimpleNamespace(write_paused=True))
    assert [outgoing.send(b"1"), outgoing.send(b"2"), outgoing.put(b"3")] == [False] * 3


@pytest.mark.parametrize("is_gathered", [False, True])
def test_a_client_that_has_left_is_sent_nothing(outgoing: Outgoing, turns: Turns, is_gathered: bool) -> None:
    if is_gathered:
        outgoing.put(b"1")
    turns.is_left = True
    outgoing.send(b"2")
    turns.end()
    assert turns.writes == []


async def test_the_last_event_of_a_stream_leaves_together_with_its_end(
    connect: Any, ports: Any, make_body: Any, make_stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    *pieces, final, end = make_stream()
    ports.body = make_body(stream=True)
    ports.pieces = [*pieces, msgspec.structs.replace(end, data=final.data)]
    ports.holds_at = f"piece {len(pieces)}"
    writes: list[bytes] = []
    write = Outgoing.write
    monkeypatch.setattr(Outgoing, "write", lambda self, data: (writes.append(data), write(self, data)))
    async with connect() as peer:
        await peer.write(request(ports.body))
        await ports.reached.wait()
        await asyncio.sleep(0)
        assert writes
        ports.goes_on.set()
        await peer.answer()
    assert writes[1:] == [b"%x\r\n%b\r\n0\r\n\r\n" % (len(final.data), final.data)]
