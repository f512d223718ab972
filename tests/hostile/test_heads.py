"""Request lines and headers that no client library sends: refused in a shape that clients can read, or harmless."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hostile.asking import CHAT, MESSAGES, STREAMING, Endpoint
from hostile.verdict import assert_no_leak, assert_refused, is_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway import Gateway
    from hostile.connection import Connection

BAD_LINES = {
    "a folded line": b"x-a: b\r\n c",
    "a NUL byte": b"x-a: b\x00c",
    "a bare carriage return": b"x-a: b\rc",
    "a bell": b"x-a: b\x07c",
    "a vertical tab": b"x-a: b\x0bc",
    "DEL": b"x-a: b\x7fc",
    "a NUL byte in a name": b"x\x00a: b",
    "a space in a name": b"x a: b",
    "brackets in a name": b"x(a): b",
    "a letter beyond ASCII in a name": "x-ä: b".encode(),
    "no name": b": b",
    "no colon": b"x-a",
    "a line that begins with a space": b" x-a: b",
}
BAD_FIRST_LINES = {
    "no version": b"POST /v1/messages",
    "a version of the future": b"POST /v1/messages HTTP/3.7",
    "an old version": b"POST /v1/messages HTTP/0.9",
    "half a version": b"POST /v1/messages HTTP/1",
    "lower case": b"POST /v1/messages http/1.1",
    "a tab": b"POST\t/v1/messages\tHTTP/1.1",
    "an unknown method": b"BREW /v1/messages HTTP/1.1",
    "a method in lower case": b"post /v1/messages HTTP/1.1",
    "a method with a NUL byte": b"PO\x00ST /v1/messages HTTP/1.1",
    "a long method": b"P" * 5000 + b" /v1/messages HTTP/1.1",
    "a NUL byte in the path": b"POST /v1/mess\x00ages HTTP/1.1",
    "a space in the path": b"POST /v1/mess ages HTTP/1.1",
    "no path": b"POST HTTP/1.1",
    "a path without a slash": b"POST v1/messages HTTP/1.1",
    "the preface of HTTP/2": b"PRI * HTTP/2.0",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a line of SMTP": b"EHLO tollway",
    "nothing but zeros": bytes(200),
}


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES)
def test_a_header_that_is_none_is_refused_and_the_connection_ends(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, line: bytes
) -> None:
    body = json.dumps(endpoint.body()).encode()
    connection = connect()
    head = endpoint.head(gateway.key, content_length=len(body))
    answer = connection.ask(head[:-2] + line + b"\r\n\r\n" + body)
    assert_refused(answer, statuses={400})
    assert answer.says_close
    assert connection.rest() == b""


@pytest.mark.parametrize("line", BAD_FIRST_LINES.values(), ids=BAD_FIRST_LINES)
def test_a_first_line_that_is_none_is_refused_and_the_connection_ends(
    connect: Callable[[], Connection], gateway: Gateway, line: bytes
) -> None:
    connection = connect()
    rest = MESSAGES.request(gateway.key).partition(b"\r\n")[2]
    answer = connection.ask(line + b"\r\n" + rest)
    assert_refused(answer, statuses={400, 404, 405, 431, 501, 505})
    assert_no_leak(answer)
    if answer.says_close:
        assert connection.rest() == b""


@pytest.mark.parametrize("size", [64 << 10, 1 << 20, 8 << 20])
def test_a_huge_header_is_refused_without_being_kept(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, size: int
) -> None:
    connection = connect()
    connection.send(endpoint.request(gateway.key, x_large="x" * size))
    assert_refused(connection.answer(), statuses={431})


def test_too_many_headers_are_refused(connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint) -> None:
    many = {f"x-{number}": "y" for number in range(10_000)}
    connection = connect()
    connection.send(endpoint.request(gateway.key, **many))
    assert_refused(connection.answer(), statuses={431})


def test_a_huge_first_line_is_refused(connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint) -> None:
    for size in (64 << 10, 1 << 20):
        for target in (f"{endpoint.path}?{'q' * size}", f"/{'p' * size}", f"{endpoint.path}?{'&' * size}"):
            connection = connect()
            connection.send(endpoint.request(gateway.key, target=target))
            assert_refused(connection.answer(), statuses={414, 431})


def test_headers_below_the_limit_are_taken(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    assert connect().ask(endpoint.request(gateway.key, x_large="x" * 12_000)).status == 200


def test_a_key_in_odd_forms_is_a_401_that_does_not_repeat_it(
    connect: Callable[[], Connection], endpoint: Endpoint
) -> None:
    for key in ("", " ", "\t", "tw_" + "x" * 8000, "tw_\xff\xfe", "Bearer tw_x", "tw_a, tw_b", "'; DROP TABLE keys"):
        answer = connect().ask(endpoint.request("unused", x_api_key=key))
        assert_refused(answer, endpoint.dialect, {401})
        assert len(key) < 3 or key.encode("latin-1") not in answer.body


def test_an_authorization_in_odd_forms_is_a_401(connect: Callable[[], Connection], endpoint: Endpoint) -> None:
    for value in (
        "",
        "Bearer",
        "Bearer ",
        "bearer  \t",
        "Basic dHc6eA==",
        "tw_x",
        "Bearer \xfc",
        "Bearer " + "x" * 8000,
    ):
        answer = connect().ask(endpoint.request("unused", x_api_key=None, authorization=value))
        assert_refused(answer, endpoint.dialect, {401})


@pytest.mark.parametrize("value", ["", "x", "0", "2026-13-45", "\xff", "y" * 8000])
def test_an_odd_version_of_the_dialect_is_for_the_provider_to_refuse(
    connect: Callable[[], Connection], gateway: Gateway, value: str
) -> None:
    answer = connect().ask(MESSAGES.request(gateway.key, anthropic_version=value))
    assert "anthropic-version" in assert_refused(answer, "anthropic", {400})


def test_headers_that_the_gateway_reads_may_hold_anything(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    connection = connect()
    names = ("traceparent", "x-gateway-conversation-id", "anthropic-beta", "openai-beta", "user-agent", "accept")
    for name in (*names, "idempotency-key", "content-type", "host", "x-stainless-timeout", "connection", "te"):
        for value in (
            "",
            "\t",
            "\xff\xfe\xfd",
            "ü",
            '"',
            "00-" + "0" * 32,
            ",,,;;;===",
            "x" * 8000,
            "${jndi:ldap://x}",
        ):
            answer = connection.ask(endpoint.request(gateway.key, **{name: value}))
            if answer.status != 200:
                assert_refused(answer)
            if answer.says_close:
                connection = connect()


def test_an_upgrade_is_not_made(connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint) -> None:
    for protocol in ("websocket", "h2c", "TLS/1.0", "x"):
        connection = connect()
        answer = connection.ask(endpoint.request(gateway.key, connection="Upgrade", upgrade=protocol))
        assert answer.status == 200, protocol
    handshake = {"sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ==", "sec_websocket_version": "13"}
    for target in ("/nowhere", endpoint.path):
        head = CHAT.head(
            gateway.key, method="GET", target=target, connection="upgrade", upgrade="websocket", **handshake
        )
        assert_refused(connect().ask(head, method="GET"), statuses={400, 404, 405, 426})


def test_a_client_of_http_1_0_gets_its_answer_and_the_end(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    request = endpoint.request(gateway.key).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    connection = connect()
    answer = connection.ask(request)
    assert answer.status == 200
    assert "chunked" not in answer.header("transfer-encoding")
    assert connection.rest() == b""


@pytest.mark.parametrize("endpoint", STREAMING, ids=str)
def test_a_client_of_http_1_0_gets_a_stream_that_ends_with_the_connection(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    request = endpoint.request(gateway.key, endpoint.body(words=30, stream=True)).replace(b"/1.1", b"/1.0", 1)
    connection = connect()
    connection.send(request)
    head = connection.head()
    assert head.status == 200
    assert head.header("transfer-encoding") == "", "a client of HTTP/1.0 knows no chunks"
    assert is_whole(connection.rest())
