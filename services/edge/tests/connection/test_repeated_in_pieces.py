"""A body that comes in several reads behind a head that was sent before: the parser does not see it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from edge_peer import head, request


@pytest.fixture
def bodies(body: bytes, make_body: Any) -> list[bytes]:
    return [make_body(metadata={"user_id": f"{number}" * 30}) for number in range(4)]


@pytest.fixture
def hasty(limits: dict[str, Any]) -> None:
    limits.update(body_timeout=0.1)


@pytest.fixture
def write_cut(connect: Any) -> Any:
    async def write(peer: Any, data: bytes, *places: int) -> None:
        """Send data in pieces, each of which is read before the next one comes."""
        for start, stop in zip((0, *places), (*places, len(data)), strict=True):
            await peer.write(data[start:stop])
            async with connect() as later:  # who is answered after the piece was read
                assert (await later.ask(head("/cold", "GET")))[0] == 404

    return write


@pytest.mark.parametrize("is_first_whole", [True, False])
async def test_each_request_gets_its_own_answer(
    connect: Any, write_cut: Any, ports: Any, bodies: list[bytes], is_first_whole: bool
) -> None:
    async with connect() as peer:
        for number, body in enumerate(bodies):
            data = request(body)
            begun = len(data) - len(body) + 7 * number
            await write_cut(peer, data, *(() if is_first_whole and not number else (begun, len(data) - 9)))
            assert (await peer.answer())[0] == 200
    assert [record.body.raw for record in ports.records] == bodies


async def test_what_follows_a_body_is_the_next_request(
    connect: Any, write_cut: Any, ports: Any, bodies: list[bytes]
) -> None:
    async with connect() as peer:
        await peer.ask(request(bodies[0]))
        await write_cut(peer, b"".join(map(request, bodies[1:])), len(request(bodies[1])) - 20)
        assert [(await peer.answer())[0] for _ in bodies[1:]] == [200] * 3
    assert [record.body.raw for record in ports.records] == bodies


async def test_a_request_that_is_refused_early_leaves_the_connection_where_its_body_ends(
    connect: Any, bodies: list[bytes]
) -> None:
    data = request(bodies[0], key="tw_nope")
    async with connect() as peer:
        for _ in range(3):
            await peer.write(data[:-20])
            assert (await peer.answer())[0] == 401
            await peer.write(data[-20:])
        assert (await peer.ask(request(bodies[1])))[0] == 200


async def test_one_that_is_announced_too_large_is_refused(connect: Any, bodies: list[bytes]) -> None:
    async with connect() as peer:
        for body, expected in ((bodies[0], 200), (bodies[1] + b" " * 1000, 413)):
            await peer.write(request(body)[:-1])
            if expected == 200:
                await peer.write(body[-1:])
            assert (await peer.answer())[0] == expected


async def test_a_client_that_leaves_in_the_middle_is_booked(connect: Any, ports: Any, bodies: list[bytes]) -> None:
    async with connect() as peer:
        await peer.ask(request(bodies[0]))
        await peer.write(request(bodies[1])[:-20])
    await ports.await_records(2)
    assert [(record.status, record.reason) for record in ports.records[1:]] == [("cancelled", "CLIENT_LEFT")]


@pytest.mark.usefixtures("hasty")
async def test_a_body_that_does_not_end_is_refused(connect: Any, bodies: list[bytes]) -> None:
    async with connect() as peer:
        await peer.ask(request(bodies[0]))
        await peer.write(request(bodies[1])[:-20])
        assert (await peer.answer())[0] == 408
        assert await asyncio.wait_for(peer.reader.read(), 5) == b""


async def test_another_head_is_read_by_the_parser_again(connect: Any, write_cut: Any, bodies: list[bytes]) -> None:
    async with connect() as peer:
        for body in bodies[:3]:
            await write_cut(peer, request(body), len(request(body)) - 20)
            assert (await peer.answer())[0] == 200
            assert (await peer.ask(head("/cold", "GET")))[0] == 404
