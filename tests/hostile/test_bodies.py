"""Bodies that are no requests: each is the dialect's 400 or 413, and the connection serves the next request."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING

import pytest
from hostile.asking import ENDPOINTS, MESSAGES, Endpoint, chunked
from hostile.connection import Connection
from hostile.memory import memory
from hostile.verdict import assert_end, assert_refused, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway import Gateway

MIB = 1 << 20
PACK = {"gzip": gzip.compress, "deflate": zlib.compress}
BOMBS = {coding: pack(bytes(256 * MIB), 1) for coding, pack in PACK.items()}
BROKEN = {
    "empty": b"",
    "spaces": b" \r\n\t",
    "a word": b"hello",
    "a form": b"model=claude-haiku-5-5&max_tokens=64",
    "markup": b"<?xml version='1.0'?><model>claude</model>",
    "truncated": b'{"model": "claude-haiku-5-5", "messages": [{"role": "user", "content": "hel',
    "truncated in a name": b'{"mod',
    "a comma too many": b'{"model": "claude-haiku-5-5",}',
    "two objects": b'{"model": "claude-haiku-5-5"} {"model": "claude-haiku-5-5"}',
    "rest behind it": b'{"model": "claude-haiku-5-5"}]',
    "single quotes": b"{'model': 'claude-haiku-5-5'}",
    "a comment": b'{"model": "claude-haiku-5-5" /* the small one */}',
    "no quotes": b"{model: 1}",
    "NaN": b'{"model": "claude-haiku-5-5", "temperature": NaN}',
    "Infinity": b'{"model": "claude-haiku-5-5", "max_tokens": Infinity}',
    "hexadecimal": b'{"model": "claude-haiku-5-5", "max_tokens": 0x40}',
    "leading zero": b'{"model": "claude-haiku-5-5", "max_tokens": 064}',
    "NUL byte": b'{"model": "claude-haiku-5-5"\x00}',
    "NUL byte in a string": b'{"model": "claude\x00haiku"}',
    "nothing but NUL bytes": bytes(1000),
    "line feed in a string": b'{"model": "claude\nhaiku"}',
    "byte order mark": b'\xef\xbb\xbf{"model": "claude-haiku-5-5"}',
    "UTF-16": '{"model": "claude-haiku-5-5"}'.encode("utf-16"),
    "invalid UTF-8": b'{"model": "claude-haiku-5-5\xff\xfe"}',
    "overlong UTF-8": b'{"model": "claude\xc0\xafhaiku"}',
    "UTF-8 of a surrogate": b'{"model": "claude\xed\xa0\x80haiku"}',
    "lone surrogate in a name": b'{"model": "claude-haiku-5-5", "\\ud800": 1}',
    "lone surrogate in the model": b'{"model": "\\udfff"}',
    "bad escape": b'{"model": "\\x41"}',
    "null": b"null",
    "true": b"true",
    "a number": b"42",
    "a string": b'"model"',
    "a list": b"[]",
    "a list of objects": b'[{"model": "claude-haiku-5-5"}]',
    "an empty object": b"{}",
    "10,000 lists": b"[" * 10_000,
    "10,000 lists, closed": b"[" * 10_000 + b"]" * 10_000,
    "10,000 lists in a field": b'{"model": "claude-haiku-5-5", "messages": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "10,000 objects in a list": b'{"model": "m", "messages": [' + b'{"a":[' * 10_000 + b"]}" * 10_000 + b"]}",
    "a million opening brackets": b"[" * MIB,
    "a number of a million digits": b'{"model": "m", "max_tokens": ' + b"9" * MIB + b"}",
    "an exponent beyond all bounds": b'{"model": "m", "max_tokens": 1e999999999}',
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_body_that_is_no_request_is_a_400_and_the_connection_goes_on(
    connect: Callable[[], Connection], gateway: Gateway, body: bytes
) -> None:
    connection = connect()
    for endpoint in ENDPOINTS:
        message = assert_refused(connection.ask(endpoint.request(gateway.key, body)), endpoint.dialect, {400})
        assert len(message) < 500
        assert connection.ask(endpoint.request(gateway.key)).status == 200


@pytest.mark.parametrize("field", ["model", "max_tokens", "stream", "temperature", "prompt"])
def test_a_field_that_is_given_twice_is_refused_and_named(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, field: str
) -> None:
    """Providers differ in which of two they take: what is capped and what is bought would not be the same."""
    fields = endpoint.body() | {"max_tokens": 64, "stream": False, "temperature": 0, "prompt": None}
    plain = json.dumps(fields)
    value = json.dumps(fields[field])
    connection = connect()
    for spelt in (f'"{field}"', f'"\\u{ord(field[0]):04x}{field[1:]}"'):
        body = f"{plain[:-1]}, {spelt}: {value}}}".encode()
        served = gateway.log_end()
        message = assert_refused(connection.ask(endpoint.request(gateway.key, body)), endpoint.dialect, {400})
        assert field in message
        assert gateway.log_end() == served, "the provider was asked all the same"


def test_a_missing_max_tokens_is_for_the_provider_to_refuse(
    connect: Callable[[], Connection], gateway: Gateway
) -> None:
    body = MESSAGES.body()
    del body["max_tokens"]
    answer = connect().ask(MESSAGES.request(gateway.key, body))
    assert answer.status == 400
    assert error_of(answer, "anthropic")["message"] == "max_tokens: Field required"
    assert answer.header("x-gateway-provider") == "simulator"


def test_a_nul_or_a_lone_surrogate_in_the_text_does_no_harm(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    connection = connect()
    for text in (rb"a \u0000 b", rb"a \ud800 b", rb"a \udfff\ud800 b", rb"\ud83d"):
        body = json.dumps(endpoint.body("PLACE")).encode().replace(b"PLACE", text)
        answer = connection.ask(endpoint.request(gateway.key, body))
        if answer.status != 200:
            assert_refused(answer, endpoint.dialect, {400})
        assert connection.ask(endpoint.request(gateway.key)).status == 200


@pytest.mark.parametrize("model", ["auto", "standard"])
def test_a_lone_surrogate_does_no_harm_where_the_gateway_reads_the_text(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, model: str
) -> None:
    body = json.dumps(endpoint.body("PLACE", model=model)).encode().replace(b"PLACE", rb"\ud800")
    answer = connect().ask(endpoint.request(gateway.key, body))
    if answer.status != 200:
        assert_refused(answer, endpoint.dialect, {400})


def test_a_body_of_40_mib_that_is_announced_is_refused_before_it_is_sent(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    answer = connect().ask(endpoint.head(gateway.key, content_length=40 * MIB), b'{"model"')
    message = assert_refused(answer, endpoint.dialect, {413})
    assert "33554432" in message


def test_a_body_of_40_mib_that_comes_all_the_same_is_refused(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    connection = connect()
    connection.send(endpoint.head(gateway.key, content_length=40 * MIB), *[bytes(MIB)] * 40)
    if answer := connection.answer_or_end():  # it may be lost where more was sent than is read
        assert_refused(answer, endpoint.dialect, {413})


def test_a_chunked_body_of_40_mib_is_refused(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    connection = connect()
    connection.send(endpoint.head(gateway.key, transfer_encoding="chunked"))
    connection.send(*[chunked(b" " * MIB)[:-5]] * 40)
    if answer := connection.answer_or_end():  # it may be lost where more was sent than is read
        assert_refused(answer, endpoint.dialect, {413})


def test_a_body_that_announces_more_than_any_machine_has_is_refused(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    for length in (2**31, 2**32 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30):
        answer = connect().ask(endpoint.head(gateway.key, content_length=length), b"{}")
        assert_refused(answer, statuses={400, 413})


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_body_is_served_and_a_broken_one_refused(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, coding: str
) -> None:
    packed = PACK[coding](json.dumps(endpoint.body()).encode())
    connection = connect()
    assert connection.ask(endpoint.request(gateway.key, packed, content_encoding=coding)).status == 200
    for broken in (packed[:-6], packed[:20], packed + b"more", b"{}", b"", PACK[coding](packed), PACK[coding](b"\xff")):
        answer = connection.ask(endpoint.request(gateway.key, broken, content_encoding=coding))
        assert_refused(answer, endpoint.dialect, {400})


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "gzip;q=1", "\xff", "x" * 1000])
def test_an_encoding_that_is_not_known_is_refused_with_a_word_about_it(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, coding: str
) -> None:
    answer = connect().ask(endpoint.request(gateway.key, content_encoding=coding))
    message = assert_refused(answer, endpoint.dialect, {415})
    assert "content-encoding" in message
    assert len(message) < 300


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_of_compressed_zeros_is_never_unpacked(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, coding: str
) -> None:
    before = sum(memory(gateway).values())
    answer = connect().ask(endpoint.request(gateway.key, BOMBS[coding], content_encoding=coding))
    assert_refused(answer, endpoint.dialect, {413})
    assert sum(memory(gateway).values()) - before < 100 * MIB


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "\xff", ";"]
)
def test_a_body_that_is_called_something_else_than_json_is_refused(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, kind: str
) -> None:
    answer = connect().ask(endpoint.request(gateway.key, content_type=kind))
    assert "content-type" in assert_refused(answer, endpoint.dialect, {415})


@pytest.mark.parametrize("kind", [None, "", "application/json; charset=utf-8", "APPLICATION/JSON", "application/json;"])
def test_a_body_that_is_called_json_or_nothing_is_served(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, kind: str | None
) -> None:
    assert connect().ask(endpoint.request(gateway.key, content_type=kind)).status == 200


def test_what_stands_behind_a_body_is_no_part_of_it(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    body = json.dumps(endpoint.body()).encode()
    connection = connect()
    connection.send(endpoint.head(gateway.key, content_length=len(body)) + body + b"}}}}\r\n\r\n")
    assert connection.answer().status == 200
    assert_end(connection, {400})
