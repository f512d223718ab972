"""What goes wrong on a connection looks like what it is, and only those pay for it whose fault it is."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from edge_peer import head, request
from tollway_edge.entrypoints import deadlines


async def read_on(peer: Any) -> bytes:
    return await asyncio.wait_for(peer.reader.read(), 5)


@pytest.mark.parametrize(
    ("version", "connection", "is_kept"),
    [(b"1.1", b"Upgrade", True), (b"1.1", b"close, Upgrade", False), (b"1.0", b"Upgrade, HTTP2-Settings", False)],
)
async def test_an_offer_of_another_protocol_changes_nothing_else(
    connect: Any,
    ports: Any,
    make_body: Any,
    make_piece: Any,
    make_stream: Any,
    version: bytes,
    connection: bytes,
    is_kept: bool,
) -> None:
    ports.pieces, ports.whole = make_stream(), make_piece(b"{}")
    offer = b"host: tollway\r\nconnection: %b\r\nupgrade: h2c\r\n" % connection
    raw = request(make_body(stream=True)).replace(b"HTTP/1.1", b"HTTP/" + version)
    async with connect() as peer:
        await peer.write(raw.replace(b"host: tollway\r\n", offer))
        if is_kept:
            assert (await peer.answer())[0] == 200
            assert (await peer.ask(request(make_body())))[0] == 200
        else:
            answer = await read_on(peer)
            assert (b"transfer-encoding" in answer) is (version == b"1.1")
            assert b"connection: close" in answer


async def test_a_cut_answer_that_only_the_connection_ends_does_not_end_properly(
    connect: Any, ports: Any, make_body: Any, make_stream: Any
) -> None:
    ports.pieces, ports.holds_at = make_stream(), "piece 3"
    async with connect() as peer:
        await peer.write(request(make_body(stream=True)).replace(b"HTTP/1.1", b"HTTP/1.0"))
        await ports.reached.wait()
        await peer.reader.readuntil(b"message_start")
        for task in asyncio.all_tasks():
            if "HotRoutes.serve" in repr(task):
                task.cancel()
        with pytest.raises(ConnectionResetError):
            await read_on(peer)


async def test_a_client_that_leaves_such_an_answer_is_no_error(
    connect: Any, ports: Any, make_body: Any, make_stream: Any
) -> None:
    unheard: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
    ports.pieces, ports.holds_at = make_stream(), "piece 3"
    async with connect() as peer:
        await peer.write(request(make_body(stream=True)).replace(b"HTTP/1.1", b"HTTP/1.0"))
        await ports.reached.wait()
        (serving,) = [task for task in asyncio.all_tasks() if "HotRoutes.serve" in repr(task)]
    await asyncio.wait([serving])
    del serving
    gc.collect()  # which is when a task's exception is told that nobody has heard
    assert ([record.status for record in ports.records], unheard) == (["cancelled"], [])


async def test_a_broken_request_in_the_queue_leaves_the_answer_before_it_whole(
    connect: Any, ports: Any, make_body: Any, make_stream: Any
) -> None:
    ports.pieces, ports.holds_at = make_stream(), "piece 4"
    async with connect() as peer:
        await peer.write(request(make_body(stream=True)))
        await ports.reached.wait()
        await peer.write(head("/cold", transfer_encoding="chunked"), b"zz\r\n")
        async with connect() as later:  # who is answered after the broken request was read
            assert (await later.ask(head("/cold", "GET")))[0] == 404
        ports.goes_on.set()
        answer = await read_on(peer)
    assert answer.endswith(b"0\r\n\r\n")
    assert [record.status for record in ports.records] == ["succeeded"]


class TestWhileReadingIsPaused:
    @pytest.fixture
    def limits(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        monkeypatch.setattr(deadlines, "SLOWEST_BODY", 10**9)
        return {"max_body_bytes": 10**7, "body_timeout": 0.1}

    async def test_a_client_is_not_late_with_what_the_gateway_does_not_read(
        self, connect: Any, ports: Any, make_body: Any, make_piece: Any
    ) -> None:
        ports.whole, ports.holds_at = make_piece(b"{}"), "complete"
        large = make_body()[:-1] + b', "pad": "%b"}' % (b"x" * 4_000_000)
        async with connect() as peer:
            writing = asyncio.create_task(peer.write(request(make_body()), request(large)))
            await ports.reached.wait()
            await asyncio.sleep(0.3)  # three times as long as a body may take
            ports.goes_on.set()
            assert [(await peer.answer())[0], (await peer.answer())[0]] == [200, 200]
            await writing
