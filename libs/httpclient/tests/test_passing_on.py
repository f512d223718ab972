"""An answer that is passed on: what is taken within the read that brings it, and what waits for its turn."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tollway_httpclient import Reset
from tollway_httpclient.limits import HIGH_WATER, READ_BYTES
from tollway_httpclient.testing import NO_LIMITS, connect, result_of

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def begin(size, head=HEAD):
    connection, sock = connect()
    asking = connection.exchange(b"head", b"", NO_LIMITS)
    asking.send(None)
    connection.data_received(head % size if b"%d" in head else head)
    return connection, sock, result_of(asking)


def test_a_small_piece_is_taken_within_its_read():
    connection, _, response = begin(100)
    taken = []
    passing = response.pass_on(lambda piece: taken.append(piece) or True)
    passing.send(None)
    for number in range(3):
        connection.data_received(b"%d" % number)
        assert taken[-1] == b"%d" % number


def test_what_a_full_read_brings_and_what_follows_it_wait_for_their_turn():
    connection, sock, response = begin(1 << 20)
    taken = []
    passing = response.pass_on(lambda piece: taken.append(piece) or True)
    passing.send(None)
    connection.data_received(bytes(READ_BYTES))
    assert (taken, sock.is_reading) == ([], False)
    connection.data_received(b"behind it")
    assert taken == []
    passing.send(None)
    assert (b"".join(taken), sock.is_reading) == (bytes(READ_BYTES) + b"behind it", True)


def test_a_full_read_waits_for_its_turn_however_little_of_it_is_the_body():
    connection, _, response = begin(0, CHUNKED)
    taken = []
    passing = response.pass_on(lambda piece: taken.append(piece) or True)
    passing.send(None)
    connection.data_received((b"1\r\nx\r\n" * READ_BYTES)[:READ_BYTES])
    assert taken == []
    passing.send(None)
    assert taken == [b"x" * (READ_BYTES // 6)]


def test_a_reader_that_closes_within_the_last_read_gets_no_end():
    connection, sock, response = begin(4)

    def take(_):
        response.close()
        return True

    passing = response.pass_on(take)
    passing.send(None)
    connection.data_received(b"last")
    assert (sock.is_aborted, sock.released_times) == (True, 0)
    with pytest.raises(Reset):
        result_of(passing)


def test_after_a_no_the_server_is_held_back_like_that_of_any_slow_reader():
    connection, sock, response = begin(1 << 20)
    passing = response.pass_on(lambda _: False)
    passing.send(None)
    connection.data_received(b"first")
    assert sock.is_reading
    connection.data_received(bytes(HIGH_WATER + 1))
    assert not sock.is_reading
    assert result_of(passing) is True
    assert len(result_of(response.piece())) == HIGH_WATER + 1
    assert sock.is_reading


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("error", [ArithmeticError, asyncio.CancelledError])
def test_what_the_taker_raises_closes_the_connection(is_late, error):
    connection, sock, response = begin(100)

    def take(_):
        raise error

    passing = response.pass_on(take)
    if is_late:
        passing.send(None)
    connection.data_received(b"data")
    with pytest.raises(error):
        result_of(passing)
    assert sock.is_aborted


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=2 * READ_BYTES), st.booleans(), st.booleans()), max_size=12))
def test_every_byte_is_passed_on_once_and_in_order(reads):
    """Whatever comes at once, whenever the taker says no, and whenever whoever waits has its turn."""
    whole = b"".join(data for data, *_ in reads) + b"!"
    connection, _, response = begin(len(whole))
    taken, answers = [], iter([is_yes for _, is_yes, _ in reads])
    passing = None

    def take(piece):
        taken.append(piece)
        return next(answers, True)

    def turn():
        nonlocal passing
        try:
            passing = passing or response.pass_on(take)
            passing.send(None)
        except StopIteration as done:
            passing = None
            return done.value
        return None

    turn()
    for data, _, has_turn in reads:
        connection.data_received(data)
        if has_turn and (passing is None or response._waiter is None or response._waiter.done()):
            turn()
    connection.data_received(b"!")
    while turn() is not False:
        pass
    assert b"".join(taken) == whole
