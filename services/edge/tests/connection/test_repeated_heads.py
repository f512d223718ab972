"""A client that sends the same head again is served as if it had been parsed; whatever differs is parsed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tollway_edge.entrypoints.request_head import RepeatedHead, RequestHead
from tollway_edge.entrypoints.request_headers import RequestHeaders

HEAD = b"POST /v1/messages HTTP/1.1\r\nHost: edge\r\nX-Api-Key: tw_test\r\nContent-Length: %d\r\nAccept: */*\r\n\r\n"
KNOWN = RequestHead(b"POST", b"/v1/messages", "", RequestHeaders(), keep_alive=True, can_chunk=True)


def request(body: bytes, head: bytes = HEAD) -> bytes:
    return head % len(body) + body


def repeated(data: bytes, **more: Any) -> RepeatedHead | None:
    fields = {name: getattr(KNOWN, name) for name in ("method", "path", "query", "headers", "keep_alive", "can_chunk")}
    received = len(data) - data.find(b"\r\n\r\n") - 4
    return RepeatedHead.of(data, RequestHead(**fields | more), received, 1000)


@pytest.mark.parametrize("body", [b"{}", b"", b"x" * 123_456, b"\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n"])
def test_the_same_head_with_any_body_is_known(body: bytes) -> None:
    known = repeated(request(b'{"a": 1}'))
    assert known
    assert known.body_of(request(body)) == body


@pytest.mark.parametrize(
    "data",
    [
        b"",
        request(b"{}")[:-1],
        request(b"{}") + b"\r\n",
        request(b"{}") * 2,
        request(b"{}").replace(b"tw_test", b"tw_tesu"),
        request(b"{}").replace(b"Length: 2", b"Length: +2"),
        request(b"{}").replace(b"Length: 2", b"Length:  2"),
        request(b"{}").replace(b"Length: 2", b"Length: "),
        request(b"{}").replace(b"Length: 2", b"Length: 0x2"),
        request(b"{}").replace(b"Length: 2", b"Length: 2\r\nContent-Length: 2"),
        request(b"{}").replace(b"Length: 2", "Length: ²".encode()),
        request(b"{}").replace(b"Length: 2", b"Length: 00000000000002"),
        request(b"{}").replace(b"Length: 2", b"Length: 2\r\nTransfer-Encoding: chunked"),
        request(b"{}").replace(b"Accept: */*", b"Accept: */*\r\nConnection: close"),
    ],
    ids=range(14),
)
def test_anything_else_is_for_the_parser(data: bytes) -> None:
    known = repeated(request(b"{}"))
    assert known
    assert known.body_of(data) is None


def test_a_head_whose_end_the_parser_saw_elsewhere_is_not_kept() -> None:
    assert RepeatedHead.of(request(b"{}"), KNOWN, 1, 1000) is None


@pytest.mark.parametrize("here", [b"", b"{", b'{"a": 1}'])
def test_the_same_head_is_known_whatever_is_here_of_its_body(here: bytes) -> None:
    known = repeated(request(b'{"a": 1}')[:-3])
    assert known
    assert known.beginning_of(HEAD % 123_456 + here) == (123_456, here)


@given(st.binary(max_size=300), st.integers(0, 200), st.binary(max_size=4))
def test_where_a_body_begins_every_byte_before_it_is_where_it_was(body: bytes, place: int, put: bytes) -> None:
    known = repeated(request(b"{}"))
    assert known
    whole = request(body)
    spoilt = whole[:place] + put + whole[place + len(put) :]
    found = known.beginning_of(spoilt)
    assert found is None or HEAD % found[0] + found[1] == spoilt


@pytest.mark.parametrize("digits", [b"", b"+2", b" 2", b"2 ", b"1_0", b"0x2", "²".encode(), b"002", b"2" * 5000])
def test_no_other_number_is_a_length(digits: bytes) -> None:
    known = repeated(request(b"{}"))
    assert known
    assert known.beginning_of((HEAD % 2).replace(b"Length: 2", b"Length: " + digits) + b"{}") is None


@given(st.binary(max_size=300), st.integers(0, 200), st.binary(max_size=4))
def test_what_is_known_has_every_byte_where_it_was(body: bytes, place: int, put: bytes) -> None:
    known = repeated(request(b"{}"))
    assert known
    whole = request(body)
    spoilt = whole[:place] + put + whole[place + len(put) :]
    found = known.body_of(spoilt)
    assert found is None or request(found) == spoilt


@pytest.mark.parametrize(
    ("data", "more"),
    [
        (request(b"{}"), {"keep_alive": False}),
        (request(b"{}"), {"headers": RequestHeaders(expects_continue=True)}),
        (request(b"{}"), {"headers": RequestHeaders(content_length=1001)}),
        (request(b"{}") + b"GET", {}),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", {}),
        (b"POST / HTTP/1.1\r\nx: a\r\n content-length: 2\r\n\r\n{}", {}),
    ],
    ids=range(6),
)
def test_a_request_with_something_special_about_it_is_not_kept(data: bytes, more: dict[str, Any]) -> None:
    assert repeated(data, **more) is None


@pytest.mark.usefixtures("body")
async def test_each_repeated_request_gets_its_own_answer(connect: Any, ports: Any, make_body: Any) -> None:
    answered = []
    async with connect() as peer:
        for number in range(4):
            body = make_body(metadata={"user_id": "u" * number})
            status, _, _ = await peer.ask(request(body))
            answered.append((status, json.loads(ports.records[-1].body.raw)["metadata"]["user_id"]))
    assert answered == [(200, "u" * number) for number in range(4)]


@pytest.mark.usefixtures("body")
async def test_a_repeated_head_with_a_body_too_large_is_refused_and_the_next_one_served(
    connect: Any, make_body: Any
) -> None:
    async with connect() as peer:
        for size, expected in ((1, 200), (2000, 413), (1, 200)):
            status, _, _ = await peer.ask(request(make_body(metadata={"user_id": "u" * size})))
            assert status == expected
