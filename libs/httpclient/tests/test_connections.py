"""Connections: never used after their end, closed at once when nobody reads on, held back by a slow reader."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest
from tollway_httpclient import ConnectFailed, Reset

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


async def call(client, server):
    return await (await client.request("POST", server.url)).read()


async def settle(client, *, is_idle=0, is_open=0):
    """Wait until the pool has so many connections."""
    (pool,) = client._pools.values()
    async with asyncio.timeout(2):
        while (len(pool._idle), len(pool._open)) != (is_idle, is_open):  # noqa: ASYNC110 - a pool tells nobody
            await asyncio.sleep(0)


async def test_a_connection_that_the_loop_knows_to_be_closed_is_not_used(server, client):
    server.says_and_closes(OK)
    for _ in range(3):
        assert await call(client, server) == b"ok"
        await settle(client)
    assert (server.connections, len(server.heads)) == (3, 3)


async def test_a_connection_that_was_closed_while_the_loop_was_busy_is_found_closed(make_client):
    """The end lies in the socket when the request begins; it is looked for there, so the request is sent once only."""
    requests = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        closed = threading.Event()

        def serve():
            for _ in range(2):
                connection, _ = listening.accept()
                requests.append(connection.recv(65536))
                connection.sendall(OK)
                may_close.wait(5)
                connection.close()
                closed.set()

        may_close = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        client = make_client(trusted_seconds=0)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        assert await (await client.request("POST", url)).read() == b"ok"
        await asyncio.sleep(0.002)  # so that the loop's clock, which counts in milliseconds, has gone on
        may_close.set()
        closed.wait(5)  # the loop stands still
        assert await (await client.request("POST", url)).read() == b"ok"
        thread.join()
    assert len(requests) == 2


async def test_a_request_that_may_have_been_read_is_never_sent_again(server, client):
    server.says(OK)
    assert await call(client, server) == b"ok"

    async def answer(peer):
        peer.writer.close()

    server.answer = answer
    with pytest.raises(Reset):
        await client.request("POST", server.url, body=b"costs money")
    assert server.bodies.count(b"costs money") == 1
    assert server.connections == 1


async def test_closing_an_answer_early_closes_its_connection_at_once(server, client):
    async def answer(peer):
        await peer.say(CHUNKED + b"1\r\nx\r\n")
        await peer.gone()

    server.answer = answer
    response = await client.request("POST", server.url)
    assert await response.piece() == b"x"
    response.close()
    await asyncio.wait_for(server.left.wait(), 0.2)
    with pytest.raises(Reset):
        await response.piece()
    with pytest.raises(Reset):
        await response.read()
    response.close()


async def test_closing_an_answer_that_came_whole_keeps_its_connection(server, client):
    server.says(OK)
    for _ in range(2):
        response = await client.request("POST", server.url)
        response.close()
        assert await response.read() == b"ok"
    assert server.connections == 1


@pytest.mark.parametrize("reading", ["request", "read", "piece", "pieces"])
async def test_cancelling_whoever_waits_closes_the_connection_at_once(server, client, reading):
    asked = asyncio.Event()

    async def answer(peer):
        if reading != "request":
            await peer.say(CHUNKED + b"1\r\nx\r\n")
        asked.set()
        await peer.gone()

    async def ask():
        response = await client.request("POST", server.url)
        if reading == "pieces":
            async for _ in response.pieces():
                pass
        await (response.read() if reading == "read" else response.piece())
        await response.piece()

    server.answer = answer
    task = asyncio.create_task(ask())
    await asked.wait()
    await asyncio.sleep(0.01)  # until it waits
    task.cancel()
    await asyncio.wait_for(server.left.wait(), 0.2)
    with pytest.raises(asyncio.CancelledError):
        await task
    await settle(client)


async def test_a_slow_reader_holds_the_server_back(server, client):
    """The server cannot write on for long when nobody reads, and no byte is lost when somebody does."""
    block = bytes(range(256)) * 1024
    written = 0

    async def answer(peer):
        nonlocal written
        peer.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (80 * len(block)))
        for _ in range(80):
            peer.writer.write(block)
            await peer.writer.drain()
            written += 1

    server.answer = answer
    response = await client.request("POST", server.url)
    before = -1
    while before != written:
        before = written
        await asyncio.sleep(0.1)
    assert written < 60
    seen = bytearray()
    async for piece in response.pieces():
        seen += piece
        await asyncio.sleep(0)
    assert seen == block * 80
    assert await call(client, server) == block * 80
    assert server.connections == 1


async def test_nobody_listening_is_a_failed_connect_that_names_the_address(client):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but it does not listen
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConnectFailed, match=address):
            await client.request("POST", f"http://{address}/")


@pytest.mark.parametrize("name", ["nobody.invalid", "a..b", "a" * 64, "256.256.256.256"])
async def test_a_name_that_does_not_exist_or_cannot_is_a_failed_connect(client, name):
    with pytest.raises(ConnectFailed):
        await client.request("POST", f"http://{name}/")
