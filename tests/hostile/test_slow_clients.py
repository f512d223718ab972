"""Clients that let the gateway wait: each has so many seconds, and then its place is free."""

from __future__ import annotations

import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hostile.asking import MESSAGES, STREAMING, Endpoint
from hostile.connection import Connection
from hostile.ledger import newest, row_of, rows_since
from hostile.limits import LIMITS
from hostile.verdict import assert_refused, is_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway import Gateway

# how late a limit may be kept on a machine that is busy with the other tests
LATE_SECONDS = 3
LENGTH, CHUNKED = {"content_length": 1000}, {"transfer_encoding": "chunked"}


streaming = pytest.mark.parametrize("endpoint", STREAMING, ids=str)


def bytes_of(raw: bytes) -> Iterable[bytes]:
    return (raw[at : at + 1] for at in range(len(raw)))


def together(*waits: Callable[[], None]) -> None:
    """Wait for all of them at once, since each takes its time."""
    with ThreadPoolExecutor(len(waits)) as pool:
        for waiting in [pool.submit(wait) for wait in waits]:
            waiting.result()


class Slow:
    """A client, and how long it was waited for."""

    def __init__(self, gateway: Gateway) -> None:
        self.connection = Connection(gateway.url)
        self.began = time.monotonic()

    def send(self, *pieces: bytes) -> Slow:
        self.connection.send(*pieces)
        return self

    def drip(self, pieces: Iterable[bytes]) -> Slow:
        self.connection.drip(pieces, every=0.03)
        return self

    def is_served(self, request: bytes) -> Slow:
        assert self.connection.ask(request).status == 200
        self.began = time.monotonic()
        return self

    def is_given_up(self, limit: str, dialect: str | None = None) -> None:
        """A 408 or, where no body is under way, nothing; then the end, soon behind the limit and not before."""
        with self.connection:
            answer = self.connection.answer_or_end()
            if answer:
                assert_refused(answer, dialect, {408})
                assert answer.says_close
            assert answer or dialect is None, "a client that is still sending its body is told why"
            assert self.connection.rest() == b""
        assert LIMITS[limit] * 0.9 < time.monotonic() - self.began < LIMITS[limit] + LATE_SECONDS


def test_a_head_that_stops_or_drips_is_given_up(gateway: Gateway) -> None:
    head, part = MESSAGES.head(gateway.key), b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-a: b"
    together(
        *[lambda sent=sent: Slow(gateway).send(sent).is_given_up("head_timeout") for sent in (b"P", part, b"\r\n\r\n")],
        lambda: Slow(gateway).drip(bytes_of(head)).is_given_up("head_timeout"),
        lambda: Slow(gateway).is_served(MESSAGES.request(gateway.key)).send(part).is_given_up("head_timeout"),
        lambda: Slow(gateway).is_served(MESSAGES.request(gateway.key)).drip(bytes_of(head)).is_given_up("head_timeout"),
    )


def test_a_connection_that_says_nothing_is_closed(gateway: Gateway) -> None:
    together(
        lambda: Slow(gateway).is_given_up("idle_timeout"),
        lambda: Slow(gateway).is_served(MESSAGES.request(gateway.key)).is_given_up("idle_timeout"),
    )


def test_a_body_that_stops_or_drips_is_a_408_of_the_dialect(gateway: Gateway, endpoint: Endpoint) -> None:
    served = gateway.log_end()
    length, chunks = endpoint.head(gateway.key, **LENGTH), endpoint.head(gateway.key, **CHUNKED)
    stops = [length, length + b'{"model": "claude', chunks, chunks + b"5\r\n{   ", chunks + b"5\r\n{    \r\n"]
    drips = [(length, b" "), (chunks, b"1\r\n \r\n")]
    together(
        *[lambda raw=raw: Slow(gateway).send(raw).is_given_up("body_timeout", endpoint.dialect) for raw in stops],
        *[
            lambda head=head, drop=drop: (
                Slow(gateway).send(head).drip(itertools.repeat(drop, 999)).is_given_up("body_timeout", endpoint.dialect)
            )
            for head, drop in drips
        ],
    )
    assert gateway.log_end() == served


def test_a_body_that_comes_slowly_but_steadily_is_served(connect: Callable[[], Connection], gateway: Gateway) -> None:
    body = json.dumps(MESSAGES.body()).encode() + b" " * 6000
    connection, began = connect(), time.monotonic()
    connection.send(MESSAGES.head(gateway.key, content_length=len(body)))
    connection.drip((body[at : at + 1024] for at in range(0, len(body), 1024)), every=0.1)
    assert connection.answer().status == 200
    assert time.monotonic() - began > LIMITS["body_timeout"], "it was not slow"


def test_a_stranger_learns_so_without_sending_its_body(connect: Callable[[], Connection], endpoint: Endpoint) -> None:
    connection = connect()
    connection.send(endpoint.head("tw_nobody", **LENGTH))
    assert_refused(connection.answer(), endpoint.dialect, {401})


@streaming
def test_a_client_that_reads_nothing_of_its_stream_loses_it_and_is_booked(
    connect: Callable[..., Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    since = gateway.log_end()
    connection = connect(receive_buffer=4096)
    connection.send(endpoint.request(gateway.key, endpoint.body(words=100_000, stream=True)))
    head = connection.head()
    assert head.status == 200
    # Anthropic's events are short: at times the kernel's buffers take the whole stream from the provider
    served = gateway.await_served(since, finished=1)
    assert served["disconnected_at"] or endpoint is MESSAGES
    row = row_of(gateway, head.header("x-gateway-query-id"))
    assert (row["status"], row["usage"]["estimated"]) == ("cancelled", True)
    assert 0 < row["usage"]["output_tokens"] < 100_000
    assert not is_whole(connection.rest())


@streaming
def test_a_client_that_reads_a_byte_at_a_time_gets_its_whole_stream(
    connect: Callable[..., Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    connection = connect(receive_buffer=4096)
    connection.read_size = 1
    answer = connection.ask(endpoint.request(gateway.key, endpoint.body(words=50, stream=True)))
    assert answer.status == 200
    assert is_whole(answer.body)
    assert row_of(gateway, answer.header("x-gateway-query-id"))["usage"]["output_tokens"] == 50


@streaming
@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_closes_its_half_is_answered_or_cancelled_and_booked_once(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, stream: bool
) -> None:
    since, known = gateway.log_end(), newest(gateway)
    connection = connect()
    connection.send(endpoint.request(gateway.key, endpoint.body("[delay=0.1]", words=30, stream=stream)))
    connection.stop_sending()
    answer = connection.answer_or_end()
    if answer:
        assert answer.status == 200
    if gateway.log_end() > since:
        served = gateway.await_served(since, finished=1)
        assert served["completed"] == bool(answer)
        [row] = rows_since(gateway, known)
        assert row["status"] == ("succeeded" if answer else "cancelled")


def test_many_slow_clients_do_not_hold_up_the_others(connect: Callable[[], Connection], gateway: Gateway) -> None:
    slow = [connect() for _ in range(200)]
    for number, connection in enumerate(slow):
        connection.send(MESSAGES.head(gateway.key, **LENGTH)[: 40 + number * 7])
    began = time.monotonic()
    assert connect().ask(MESSAGES.request(gateway.key)).status == 200
    assert time.monotonic() - began < 2
    for connection in slow:
        connection.rest()
    assert time.monotonic() - began < LIMITS["head_timeout"] + LIMITS["body_timeout"] + LATE_SECONDS
