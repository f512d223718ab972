"""Pools: which connection is taken, how many there are, and who waits for one."""

from __future__ import annotations

import asyncio

import pytest
from tollway_httpclient import ClientClosed, ConnectTimeout, HttpClient, Limits, Reset
from tollway_httpclient.pool import Pool
from tollway_httpclient.target import Origin

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


async def test_the_last_used_connection_is_used_first(server, client):
    gate = asyncio.Event()

    async def answer(peer):
        if peer.body == b"wait":
            await gate.wait()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n%05d" % peer.writer.get_extra_info("peername")[1])

    server.answer = answer
    slow = asyncio.create_task(client.request("POST", server.url, body=b"wait"))
    first = await call(client, server)
    gate.set()
    last = await (await slow).read()
    assert first != last
    assert [await call(client, server) for _ in range(3)] == [last] * 3


async def test_beyond_the_bound_requests_wait_in_line_first_come_first_served(server, make_client):
    client = make_client(max_connections=2)
    gates = [asyncio.Event() for _ in range(6)]
    arrivals = asyncio.Queue()

    async def answer(peer):
        arrivals.put_nowait(int(peer.body))
        await gates[int(peer.body)].wait()
        await peer.say(OK)

    server.answer = answer
    tasks = []
    for number in range(6):
        tasks.append(asyncio.create_task(client.request("POST", server.url, body=b"%d" % number)))
        await asyncio.sleep(0)
    first = sorted([await arrivals.get(), await arrivals.get()])
    later = []
    for number in range(6):
        assert arrivals.empty()
        gates[number].set()
        await tasks[number]
        if number < 4:
            later.append(await asyncio.wait_for(arrivals.get(), 2))
    assert (first, later) == ([0, 1], [2, 3, 4, 5])
    assert server.connections == 2


async def test_waiting_in_line_ends_with_the_time_to_connect(server, make_client):
    client = make_client(max_connections=1, connect=0.1)
    server.says(CHUNKED)
    held = await client.request("POST", server.url)
    with pytest.raises(ConnectTimeout):
        await client.request("POST", server.url)
    assert len(server.heads) == 1
    held.close()
    server.says(OK)
    assert await call(client, server) == b"ok"


async def test_a_place_in_line_that_is_given_up_holds_nobody_up(server, make_client):
    client = make_client(max_connections=1)
    server.says(CHUNKED)
    held = await client.request("POST", server.url)
    waiting = [asyncio.create_task(call(client, server)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    server.says(OK)
    held.close()
    waiting[1].cancel()
    assert await asyncio.wait_for(waiting[2], 2) == b"ok"
    await settle(client, is_idle=1, is_open=1)


async def test_a_connection_that_comes_when_the_waiting_one_has_just_left_is_not_lost(server, make_client):
    client = make_client(max_connections=1)
    gate = asyncio.Event()

    async def answer(peer):
        await gate.wait()
        await peer.say(OK)

    server.answer = answer
    begin = asyncio.create_task(call(client, server))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(call(client, server))
    await asyncio.sleep(0)
    (pool,) = client._pools.values()
    pass_on = pool._pass_on

    def pass_on_and_cancel(connection):
        passed = pass_on(connection)
        if passed:
            waiting.cancel()
        return passed

    pool._pass_on = pass_on_and_cancel
    gate.set()
    assert await begin == b"ok"
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await settle(client, is_idle=1, is_open=1)
    assert await asyncio.wait_for(call(client, server), 2) == b"ok"
    assert server.connections == 1


async def test_nobody_overtakes_the_one_who_may_dial_and_has_not_begun():
    begun = []

    class Dialer:
        tls = None

        async def dial(self, connection):
            begun.append(connection)
            await asyncio.Event().wait()

    pool = Pool(Origin("http", "h", 80), None, Dialer(), Limits(max_connections=1))
    first = asyncio.create_task(pool.acquire(5))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(pool.acquire(5))
    await asyncio.sleep(0)
    assert len(begun) == 1
    pool.lost(begun[0])  # the one that waits may dial, and has not woken up yet
    newcomer = pool.acquire(5)
    newcomer.send(None)
    assert len(begun) == 1
    await asyncio.sleep(0)
    assert len(begun) == 2
    newcomer.close()
    first.cancel()
    waiting.cancel()
    await asyncio.wait([first, waiting])


async def test_no_more_than_so_many_idle_connections_are_kept(server, make_client):
    client = make_client(max_idle=2)
    everybody = asyncio.Barrier(5)

    async def answer(peer):
        await everybody.wait()
        await peer.say(OK)

    server.answer = answer
    await asyncio.gather(*(call(client, server) for _ in range(5)))
    await settle(client, is_idle=2, is_open=2)


async def test_an_idle_connection_is_closed_after_its_time(server, make_client):
    client = make_client(idle_seconds=0.05)
    server.says(OK)
    for _ in range(3):
        assert await call(client, server) == b"ok"
    assert server.connections == 1
    await asyncio.wait_for(server.left.wait(), 2)
    await settle(client)
    assert await call(client, server) == b"ok"
    assert server.connections == 2


@pytest.mark.parametrize(("told", "connections"), [("timeout=1", 3), ("max=9, Timeout=60", 1), ("x", 1)])
async def test_a_connection_is_given_up_before_the_server_means_to(server, client, told, connections):
    server.says(b"HTTP/1.1 200 OK\r\nkeep-alive: %b\r\ncontent-length: 2\r\n\r\nok" % told.encode())
    for _ in range(3):
        assert await call(client, server) == b"ok"
        await asyncio.sleep(0.01)  # a timer that is due at once needs a turn of the loop
    assert server.connections == connections


async def test_closing_the_client_ends_what_runs_and_refuses_what_comes(server):
    client = HttpClient()
    server.says(OK)
    assert await call(client, server) == b"ok"
    server.says(CHUNKED)
    running = await client.request("POST", server.url)
    reading = asyncio.create_task(running.read())
    await asyncio.sleep(0)
    await asyncio.wait_for(client.aclose(), 1)
    with pytest.raises(Reset):
        await reading
    with pytest.raises(ClientClosed):
        await client.request("POST", server.url)
    await client.aclose()


async def test_closing_the_client_sends_those_in_line_away(server, make_client):
    client = make_client(max_connections=1)
    server.says(CHUNKED)
    await client.request("POST", server.url)
    waiting = asyncio.create_task(client.request("POST", server.url))
    await asyncio.sleep(0)
    await client.aclose()
    with pytest.raises(ClientClosed):
        await waiting
