"""Each limit of time ends its own phase, with its own error, and no other."""

from __future__ import annotations

import asyncio
import socket

import pytest
from tollway_httpclient import ConnectTimeout, FirstByteTimeout, Stalled, Timeouts, TotalTimeout

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.fixture
def pacing(server):
    """Have the server send a byte of the body every so many seconds."""

    def pacing(seconds, count):
        async def answer(peer):
            await peer.say(CHUNKED)
            for _ in range(count):
                await asyncio.sleep(seconds)
                await peer.say(b"1\r\nx\r\n")
            await peer.say(b"0\r\n\r\n")

        server.answer = answer

    return pacing


async def test_a_connection_that_does_not_come_up_is_a_connect_timeout(make_client):
    client = make_client(connect=0.1)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for filler in (first, second):  # nobody accepts them, so there is no room for a third
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        with pytest.raises(ConnectTimeout) as error:
            await client.request("POST", f"http://127.0.0.1:{full.getsockname()[1]}/")
    assert not error.value.is_sent


async def test_a_server_that_does_not_greet_in_tls_is_a_connect_timeout(server, make_client):
    client = make_client(connect=0.1)
    with pytest.raises(ConnectTimeout):
        await client.request("POST", f"https://127.0.0.1:{server.port}/")


async def test_silence_before_the_answer_is_a_first_byte_timeout_and_closes(server, make_client):
    client = make_client(first_byte=0.1, stall=5)
    server.answer = lambda peer: peer.gone()
    with pytest.raises(FirstByteTimeout) as error:
        await client.request("POST", server.url)
    assert error.value.is_sent
    await asyncio.wait_for(server.left.wait(), 0.2)


async def test_silence_in_mid_answer_is_a_stall_after_all_that_came(server, make_client):
    client = make_client(first_byte=5, stall=0.1)
    server.says(CHUNKED + b"4\r\ndata\r\n")
    response = await client.request("POST", server.url)
    assert await response.piece() == b"data"
    with pytest.raises(Stalled):
        await response.piece()
    with pytest.raises(Stalled):
        await (await client.request("POST", server.url)).read()


async def test_silence_after_an_informational_answer_is_a_stall(server, make_client):
    client = make_client(first_byte=5, stall=0.1)
    server.says(b"HTTP/1.1 100 Continue\r\n\r\n")
    with pytest.raises(Stalled):
        await client.request("POST", server.url)


async def test_a_body_that_nobody_takes_is_a_stall(server, make_client):
    client = make_client(first_byte=5, stall=0.1)
    server.reads_bodies = False
    hold = asyncio.Event()
    server.answer = lambda peer: hold.wait()
    with pytest.raises(Stalled) as error:
        await client.request("POST", server.url, body=bytes(32 << 20))
    assert not error.value.is_sent
    hold.set()


async def test_silence_after_an_answer_that_came_before_the_body_was_taken_is_a_stall(server, make_client):
    client = make_client(first_byte=5, stall=0.3)
    server.reads_bodies = False
    hold = asyncio.Event()

    async def answer(peer):
        await peer.say(CHUNKED + b"1\r\nx\r\n")
        await hold.wait()

    server.answer = answer
    response = await client.request("POST", server.url, body=bytes(32 << 20))
    with pytest.raises(Stalled):
        await asyncio.wait_for(response.read(), 2)
    hold.set()


async def test_an_answer_that_goes_on_may_take_longer_than_either(pacing, server, make_client):
    client = make_client(first_byte=0.5, stall=0.5)
    pacing(0.1, 6)
    assert await (await client.request("POST", server.url)).read() == b"x" * 6


async def test_an_answer_that_goes_on_for_too_long_in_all_is_a_total_timeout(pacing, server, make_client):
    client = make_client(total=0.3)
    pacing(0.05, 100)
    response = await client.request("POST", server.url)
    with pytest.raises(TotalTimeout):
        await response.read()


async def test_the_total_counts_before_the_answer_too(server, make_client):
    client = make_client(total=0.1)
    server.says()
    with pytest.raises(TotalTimeout):
        await client.request("POST", server.url)


async def test_a_reader_that_takes_its_time_is_no_stall_of_the_server(server, make_client):
    client = make_client(stall=0.1)
    size = 8 << 20
    server.says(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + bytes(size))
    response = await client.request("POST", server.url)
    seen = len(await response.piece())
    await asyncio.sleep(0.3)
    async for piece in response.pieces():
        seen += len(piece)
    assert seen == size


async def test_a_total_limit_holds_while_the_reader_takes_its_time(server, make_client):
    client = make_client(total=0.2)
    server.says(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (8 << 20) + bytes(8 << 20))
    response = await client.request("POST", server.url)
    await response.piece()
    await asyncio.sleep(0.3)
    with pytest.raises(TotalTimeout):
        async for _ in response.pieces():
            pass


async def test_a_total_limit_ends_with_its_exchange(server, make_client):
    client = make_client(total=0.1)
    server.says(OK)
    for _ in range(2):
        assert await (await client.request("POST", server.url)).read() == b"ok"
        await asyncio.sleep(0.2)
    assert server.connections == 1


async def test_a_request_may_bring_limits_of_its_own(server, client):
    server.says()
    with pytest.raises(FirstByteTimeout):
        await client.request("POST", server.url, timeouts=Timeouts(first_byte=0.05))
    server.says(CHUNKED)
    response = await client.request("POST", server.url, timeouts=Timeouts(stall=0.05))
    with pytest.raises(Stalled):
        await response.read()


async def test_a_short_limit_after_a_long_one_on_the_same_connection_holds(server, client):
    """The timer of the first exchange is still running then, and is due much later."""
    server.says(OK)
    await (await client.request("POST", server.url)).read()
    server.says()
    with pytest.raises(FirstByteTimeout):
        await asyncio.wait_for(client.request("POST", server.url, timeouts=Timeouts(first_byte=0.05)), 2)
    assert server.connections == 1


async def test_exchanges_that_end_in_time_share_a_timer(server, client):
    server.says(OK)
    await (await client.request("POST", server.url)).read()
    (pool,) = client._pools.values()
    (connection,) = pool._open
    timer = connection._deadlines._timer
    for _ in range(5):
        await (await client.request("POST", server.url)).read()
    assert connection._deadlines._timer is timer
