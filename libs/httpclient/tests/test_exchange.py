"""Moments that no server can bring about on purpose: a task that wakes up late, a read that holds everything."""

from __future__ import annotations

import asyncio

import pytest
from tollway_httpclient.limits import HIGH_WATER, JOINED, READ_BYTES, SLICE
from tollway_httpclient.testing import NO_LIMITS, connect, result_of

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n"


def test_a_late_cancellation_does_not_touch_the_next_exchange_of_the_connection():
    """The answer is whole, and the connection carries another request already, when the first task is cancelled."""
    ok = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    connection, sock = connect()
    first = connection.exchange(b"first", b"", NO_LIMITS)
    first.send(None)
    connection.data_received(ok)
    second = connection.exchange(b"second", b"", NO_LIMITS)
    second.send(None)
    with pytest.raises(asyncio.CancelledError):
        first.throw(asyncio.CancelledError())
    assert not sock.is_aborted
    connection.data_received(ok)
    assert result_of(result_of(second).read()) == b"ok"


def test_an_answer_that_nobody_has_looked_at_yet_does_not_disturb_the_next_exchange():
    """As before, but the first task goes on instead."""
    connection, sock = connect()
    first = connection.exchange(b"first", b"", NO_LIMITS)
    first.send(None)
    connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none")
    second = connection.exchange(b"second", b"", NO_LIMITS)
    second.send(None)
    response = result_of(first)
    connection.data_received(b"HTTP/1.1 201 OK\r\ncontent-length: 3\r\n\r\ntwo")
    later = result_of(second)
    assert (response.status, result_of(response.read())) == (200, b"one")
    assert (later.status, result_of(later.read())) == (201, b"two")
    assert (sock.released_times, sock.is_aborted) == (2, False)


def test_an_answer_that_comes_when_the_sender_may_go_on_but_has_not_ends_the_connection():
    """The request's body has not left whole, so what is sent next would be taken for the rest of it."""
    connection, sock = connect()
    connection.pause_writing()
    asking = connection.exchange(b"head", bytes(JOINED + 1), NO_LIMITS)
    asking.send(None)
    connection.resume_writing()
    connection.data_received(HEAD % 0)
    assert result_of(asking).status == 200
    assert (sock.written, sock.released_times, sock.is_aborted) == (b"", 0, True)


def test_a_large_body_leaves_in_slices_each_after_the_last_was_taken():
    connection, sock = connect()
    body = bytes(SLICE) + b"end"
    connection.pause_writing()
    asking = connection.exchange(b"head", body, NO_LIMITS)
    asking.send(None)
    assert sock.written == b""
    connection.resume_writing()
    sock.on_write = connection.pause_writing
    asking.send(None)
    assert sock.written == b"head" + bytes(SLICE)
    connection.resume_writing()
    asking.send(None)
    assert sock.written == b"head" + body
    connection.resume_writing()
    connection.data_received(HEAD % 0)
    assert result_of(asking).status == 200
    assert sock.released_times == 1


def test_a_read_that_is_more_than_may_wait_holds_back_the_server_until_it_is_taken():
    connection, sock = connect()
    asking = connection.exchange(b"head", b"", NO_LIMITS)
    asking.send(None)
    connection.data_received(HEAD % (HIGH_WATER + 2) + bytes(HIGH_WATER + 1))
    response = result_of(asking)
    assert not sock.is_reading
    assert len(result_of(response.piece())) == HIGH_WATER + 1
    assert sock.is_reading


def test_a_connection_whose_last_answer_came_in_one_large_read_listens_for_the_next():
    connection, sock = connect()
    sock.pause_reading = lambda: pytest.fail("nothing more of the answer comes")
    asking = connection.exchange(b"head", b"", NO_LIMITS)
    asking.send(None)
    connection.data_received(HEAD % (HIGH_WATER + 1) + bytes(HIGH_WATER + 1))
    assert (sock.released_times, sock.is_reading) == (1, True)


def test_a_reader_that_keeps_up_is_never_held_back():
    connection, sock = connect()
    asking = connection.exchange(b"head", b"", NO_LIMITS)
    asking.send(None)
    connection.data_received(HEAD % (8 * HIGH_WATER))
    response = result_of(asking)
    for _ in range(7):
        connection.data_received(bytes(HIGH_WATER))
        assert sock.is_reading
        assert len(result_of(response.piece())) == HIGH_WATER


async def test_an_answer_that_nobody_reads_is_read_ahead_once(server, client):
    await _assert_read_ahead_once(server, client)


async def test_an_answer_over_tls_that_nobody_reads_is_read_ahead_once(tls_server, make_client, ca_file):
    await _assert_read_ahead_once(tls_server, make_client(ca_file=ca_file))


async def _assert_read_ahead_once(server, client):
    size = 1 << 22
    server.says(HEAD % size, bytes(size))
    response = await client.request("POST", server.url)
    connection = response._connection
    for _ in range(1000):  # turns in which more could come
        await asyncio.sleep(0)
    assert connection._is_paused
    assert HIGH_WATER < response._size <= HIGH_WATER + READ_BYTES
    received = 0
    while piece := await response.piece():
        assert len(piece) <= HIGH_WATER + READ_BYTES
        received += len(piece)
    assert received == size
