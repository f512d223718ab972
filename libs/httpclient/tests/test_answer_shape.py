"""An answer that is like an earlier one is what httptools would have made of it, whatever is wrong with it."""

from __future__ import annotations

import random

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tollway_httpclient import answer_shape, response_parser
from tollway_httpclient.header_sieve import HeaderSieve
from tollway_httpclient.response_parser import ResponseParser
from tollway_httpclient.testing import mutate

LEFT_OUT = ["date", "x-gateway-*"]
HEAD = (
    b"HTTP/1.1 200 OK\r\nDate: %b\r\nx-a: %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"Keep-Alive: timeout=5\r\nX-Gateway-Model: %b\r\nrequest-id: %b\r\nconnection: keep-alive\r\n"
    b"proxy-connection: keep-alive\r\n\r\n"
)
VALUES = (b"now", b"1", b"theirs", b"req_1")


def answer(body: bytes = b"{}", values: tuple[bytes, ...] = VALUES) -> bytes:
    date, a, model, request_id = values
    return HEAD % (date, a, len(body), model, request_id) + body


def read(parser: ResponseParser, data: bytes | memoryview) -> tuple[object, ...]:
    parser.begin()
    body = parser.feed(data)
    known = parser.status and (parser.all_lines, parser.lines, parser.told, parser.kept_seconds)
    return parser.status, known, body, parser.is_complete, parser.is_reusable, parser.fault is None


@pytest.fixture
def learned() -> HeaderSieve:
    sieve = HeaderSieve(LEFT_OUT)
    assert read(ResponseParser(sieve), answer())[3:] == (True, True, True)
    assert len(sieve.answers._shapes) == 1
    return sieve


@pytest.fixture
def fed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What httptools is given."""
    given_: list[bytes] = []

    class Noting:
        def __init__(self, protocol: object) -> None:
            self._parser = httptools.HttpResponseParser(protocol)

        def feed_data(self, data: bytes) -> None:
            given_.append(bytes(data))
            self._parser.feed_data(data)

        def __getattr__(self, name: str) -> object:
            return getattr(self._parser, name)

    monkeypatch.setattr(response_parser, "HttpResponseParser", Noting)
    return given_


@pytest.mark.parametrize("kind", [bytes, memoryview])
def test_an_answer_with_nothing_but_other_values_needs_no_parser(learned, fed, kind):
    values = (b"", b"\xef\t%b y", b"z", b"a: b")
    status, known, *rest = read(ResponseParser(learned), kind(answer(b"x" * 1000, values)))
    assert fed == []
    all_lines, lines, told, kept_seconds = known
    assert (status, kept_seconds, rest) == (200, 5, [b"x" * 1000, True, True, True])
    assert lines == b"x-a: \xef\t%b y\r\ncontent-type: application/json\r\nrequest-id: a: b\r\n"
    assert all_lines == answer(b"x" * 1000, values).partition(b"\r\n")[2].partition(b"\r\n\r\n")[0] + b"\r\n"
    assert (b"keep-alive", b"timeout=5") in told


@pytest.mark.parametrize(
    "data",
    [
        answer()[:-1],
        answer() + b"x",
        answer() * 2,
        answer().replace(b"200 OK", b"201 OK"),
        answer().replace(b"Length: 2", b"Length: +2"),
        answer().replace(b"Length: 2", b"Length: 2, 2"),
        answer().replace(b"Length: 2", b"Length: 2 "),
        answer().replace(b"Length: 2", b"Length: 1234567890"),
        answer().replace(b"Length: 2", b"Length: 2\r\nContent-Length: 2"),
        answer().replace(b"Length: 2", b"Length: 2\r\nTransfer-Encoding: chunked"),
        answer().replace(b"x-a: 1", b"x-a: 1\rx: 2"),
        answer().replace(b"x-a: 1", b"x-a: 1\nx: 2"),
        answer().replace(b"x-a: 1", b"x-a: 1\r\n x: 2"),
        answer().replace(b"x-a: 1", b"x-a: 1\x00"),
        answer().replace(b"x-a: 1", b"x-a: 1\x7f"),
        answer().replace(b"x-a: 1", b"x-a : 1"),
        answer().replace(b"x-a: 1", b"x-a: "),
        answer().replace(b"x-a: 1", b"X-A: 1"),
        answer().replace(b"timeout=5", b"timeout=6"),
        answer().replace(b"\nconnection: keep-alive", b"\nconnection: close"),
        answer().replace(b"proxy-connection: keep-alive", b"proxy-connection: close"),
        b"\r\n" + answer(),
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(),
        b"",
    ],
    ids=range(24),
)
def test_any_other_answer_is_for_the_parser(learned, fed, data):
    seen = read(ResponseParser(learned), data)
    assert fed == [data]
    assert seen == read(ResponseParser(HeaderSieve(LEFT_OUT)), data)


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_an_answer_without_a_body_is_not_learned(status):
    sieve = HeaderSieve()
    assert read(ResponseParser(sieve), b"HTTP/1.1 %b\r\ncontent-length: 0\r\n\r\n" % status)[3]
    assert not sieve.answers._shapes


def test_an_answer_to_head_has_no_body_however_known_its_head_is(learned):
    parser = ResponseParser(learned)
    parser.begin(is_to_head=True)
    assert parser.feed(answer(b"")) == b""
    assert (parser.status, parser.is_complete, parser.is_reusable) == (200, True, False)


@settings(max_examples=2000, deadline=None)
@given(st.integers(0, 2**32), st.binary(max_size=30))
def test_whatever_is_changed_in_it_an_answer_is_read_as_by_the_parser(seed, body):
    sieve = HeaderSieve(LEFT_OUT)
    parser = ResponseParser(sieve)
    read(parser, answer())
    changed = mutate(answer(body), random.Random(seed))
    assert read(parser, changed) == read(ResponseParser(HeaderSieve(LEFT_OUT)), changed)


def test_what_becomes_frequent_is_learned_in_place_of_what_was(fed):
    sieve = HeaderSieve()
    parser = ResponseParser(sieve)
    for number in range(9):
        data = b"HTTP/1.1 200 OK\r\nx-%d: 1\r\ncontent-length: 0\r\n\r\n" % number
        for _ in range(answer_shape._LEARNED_EVERY):
            read(parser, data)
        fed.clear()
        read(parser, data)
        assert fed == []
    assert len(sieve.answers._shapes) == answer_shape._MAX_SHAPES


def test_a_head_of_very_long_names_is_not_learned():
    sieve = HeaderSieve()
    read(ResponseParser(sieve), b"HTTP/1.1 200 OK\r\nx%b: 1\r\ncontent-length: 0\r\n\r\n" % (b"y" * 8192))
    assert not sieve.answers._shapes
