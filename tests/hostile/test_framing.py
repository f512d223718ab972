"""Requests whose end is in doubt: who stands before the gateway must never see other requests than the gateway does."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from hostile.asking import CHAT, Endpoint, chunked
from hostile.connection import Connection
from hostile.memory import memory
from hostile.verdict import assert_end, assert_refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway import Gateway

HIDDEN = b"GET /v1/metrics HTTP/1.1\r\nhost: tollway\r\n\r\n"

# header lines that leave in doubt how long a body of 5 bytes is
DOUBTFUL_LENGTHS = {
    "two that differ": "content-length: 5\r\ncontent-length: 6",
    "a list that differs": "content-length: 5, 6",
    "a sign": "content-length: +5",
    "a negative": "content-length: -5",
    "a fraction": "content-length: 5.0",
    "an exponent": "content-length: 5e0",
    "hexadecimal": "content-length: 0x5",
    "a word": "content-length: five",
    "empty": "content-length: ",
    "a space inside": "content-length: 5 5",
    "digits of another script": b"content-length: \xd9\xa5".decode("latin-1"),
    "an underscore": "content-length: 1_0",
    "beyond 64 bits": "content-length: 18446744073709551621",
    "a space before the colon": "content-length : 5",
    "a tab before the colon": "content-length\t: 5",
    "a folded line": "content-length:\r\n 5",
    "a bare line feed in it": "x-a: b\ncontent-length: 5",
    "a bare carriage return in it": "x-a: b\rcontent-length: 5",
}
DOUBTFUL_CODINGS = {
    "length and chunked": "content-length: 5\r\ntransfer-encoding: chunked",
    "chunked and length": "transfer-encoding: chunked\r\ncontent-length: 5",
    "unknown": "transfer-encoding: rot13",
    "chunked is not last": "transfer-encoding: chunked, identity",
    "chunked twice": "transfer-encoding: chunked, chunked",
    "chunked in two lines": "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
    "a letter before": "transfer-encoding: xchunked",
    "a vertical tab before": "transfer-encoding: \x0bchunked",
    "in quotes": 'transfer-encoding: "chunked"',
    "a parameter": "transfer-encoding: chunked;q=1",
    "a space before the colon": "transfer-encoding : chunked",
    "a folded line": "transfer-encoding:\r\n chunked",
    "identity": "transfer-encoding: identity",
    "empty": "transfer-encoding: ",
}


def head_with(endpoint: Endpoint, gateway: Gateway, lines: str) -> bytes:
    return endpoint.head(gateway.key)[:-2] + lines.encode("latin-1") + b"\r\n\r\n"


@pytest.mark.parametrize("lines", DOUBTFUL_LENGTHS.values(), ids=DOUBTFUL_LENGTHS)
def test_a_doubtful_length_is_refused_and_what_stands_behind_is_never_served(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, lines: str
) -> None:
    served = gateway.log_end()
    assert_refused_alone(connect(), head_with(endpoint, gateway, lines) + b"{   }" + HIDDEN, {400, 413, 431})
    assert gateway.log_end() == served


@pytest.mark.parametrize("lines", DOUBTFUL_CODINGS.values(), ids=DOUBTFUL_CODINGS)
def test_a_doubtful_transfer_coding_is_refused_and_what_stands_behind_is_never_served(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, lines: str
) -> None:
    served = gateway.log_end()
    raw = head_with(endpoint, gateway, lines) + b"0\r\n\r\n" + HIDDEN
    assert_refused_alone(connect(), raw, {400, 411, 501})
    assert gateway.log_end() == served


@pytest.mark.parametrize(
    "body",
    [
        b"x\r\n{}\r\n0\r\n\r\n",
        b"-1\r\n{}\r\n0\r\n\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b"+2\r\n{}\r\n0\r\n\r\n",
        b"2 \r\n{}\r\n0\r\n\r\n",
        b" 2\r\n{}\r\n0\r\n\r\n",
        b"2\n{}\n0\n\n",
        b"2\r{}\r0\r\r",
        b"2\r\n{}0\r\n\r\n",
        b"2\r\n{}XX0\r\n\r\n",
        b"ffffffffffffffff\r\n{}",
        b"10000000000000002\r\n{}\r\n0\r\n\r\n",
        b"\r\n\r\n",
        b"2_0\r\n",
        b"2\r\n{}\r\n0\r\nx y: z\r\n\r\n",
        b"2;\x00\r\n{}\r\n0\r\n\r\n",
    ],
)
def test_a_chunk_that_is_none_is_refused_and_what_stands_behind_is_never_served(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, body: bytes
) -> None:
    served = gateway.log_end()
    raw = endpoint.head(gateway.key, transfer_encoding="chunked") + body + HIDDEN
    assert_refused_alone(connect(), raw, {400, 408, 413})
    assert gateway.log_end() == served


@pytest.mark.parametrize(
    "endless", [b"2;" + b"x" * 1023, b"2\r\n{}\r\n0\r\nx-trailer: yyyy\r\n"], ids=["extension", "trailer"]
)
def test_what_has_no_end_behind_a_chunk_is_refused_and_not_kept(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, endless: bytes
) -> None:
    before = sum(memory(gateway).values())
    connection = connect()
    connection.send(endpoint.head(gateway.key, transfer_encoding="chunked") + endless)
    connection.send(*[endless[-15:] * (1 << 16)] * 64)
    assert_end(connection, {400, 408, 413, 431})
    assert sum(memory(gateway).values()) - before < 50 << 20


def test_a_compressed_transfer_is_refused_where_it_is_not_undone(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    packed = chunked(gzip.compress(json.dumps(endpoint.body()).encode()))
    answer = connect().ask(endpoint.head(gateway.key, transfer_encoding="gzip, chunked") + packed)
    assert_refused(answer, statuses={400, 415, 501})


def test_a_body_in_many_small_chunks_is_served(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    body = json.dumps(endpoint.body()).encode()
    head = endpoint.head(gateway.key, transfer_encoding="chunked")
    connection = connect()
    for raw in (chunked(*[bytes([byte]) for byte in body]), chunked(body).replace(b"\r\n", b";name=value\r\n", 1)):
        assert connection.ask(head + raw).status == 200


def test_a_post_without_any_length_has_no_body(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    connection = connect()
    assert_refused(connection.ask(endpoint.head(gateway.key)), endpoint.dialect, {400, 411})


def test_a_body_of_a_get_is_not_taken_for_the_next_request(connect: Callable[[], Connection], gateway: Gateway) -> None:
    smuggled = CHAT.request(gateway.key)
    served = gateway.log_end()
    connection = connect()
    head = CHAT.head(gateway.key, method="GET", target="/health/live", content_length=len(smuggled))
    assert connection.ask(head + smuggled, method="GET").json() == {"status": "ok"}
    assert connection.ask(CHAT.request(gateway.key)).status == 200
    assert gateway.log_end() == served + 1


def test_an_expectation_is_met_before_the_body_comes(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    body = json.dumps(endpoint.body()).encode()
    connection = connect()
    for expectation in ("100-continue", "100-Continue"):
        connection.send(endpoint.head(gateway.key, content_length=len(body), expect=expectation))
        assert connection.head().status == 100
        assert connection.ask(body).status == 200


def test_an_expectation_of_a_body_that_is_too_large_is_refused_at_once(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    connection = connect()
    connection.send(endpoint.head(gateway.key, content_length=40 << 20, expect="100-continue"))
    assert connection.head().status == 413


def test_an_expectation_of_a_stranger_is_refused_before_the_body_comes(
    connect: Callable[[], Connection], endpoint: Endpoint
) -> None:
    connection = connect()
    connection.send(endpoint.head("tw_nobody", content_length=1000, expect="100-continue"))
    assert connection.head().status == 401


def test_an_unknown_expectation_is_refused_or_passed_over(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    answer = connect().ask(endpoint.request(gateway.key, expect="a-miracle"))
    if answer.status != 200:
        assert_refused(answer, statuses={417})


def assert_refused_alone(connection: Connection, raw: bytes, statuses: set[int]) -> None:
    """One refusal, then the end of the connection: the gateway reads nothing behind what it did not understand."""
    connection.send(raw)
    answer = connection.answer()
    assert_refused(answer, statuses=statuses)
    assert answer.says_close
    assert connection.rest() == b""
