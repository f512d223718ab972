"""Paths, queries and methods that lead nowhere, and names that try to write headers of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hostile.asking import CHAT, MESSAGES, Endpoint
from hostile.verdict import assert_refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway import Gateway
    from hostile.connection import Answer, Connection

NOWHERE = [
    "/v1/messages/",
    "//v1/messages",
    "/v1//messages",
    "/V1/MESSAGES",
    "/v1/messages/../messages",
    "/v1/messages/..%2fchat%2fcompletions",
    "/..%2f..%2f..%2fetc%2fpasswd",
    "/../../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/v1/%00",
    "/v1/messages%00",
    "/v1/messages%0d%0ax-injected:%201",
    "/v1/messages%20",
    "/v1/messages;x=1",
    "/v1/messages/%ff%fe",
    "/v1/%c0%ae%c0%ae/messages",
    "/%",
    "/%%%",
    "/%zz",
    "/\\..\\..",
    "/v1/models/../../metrics",
    "/.env",
    "/_simulator/log",
    "/docs",
    "/redoc",
    "/*",
    "*",
    "/" + "a/" * 3000,
]


@pytest.mark.parametrize("target", NOWHERE, ids=lambda target: target[:40])
def test_a_path_that_leads_nowhere_is_a_404_in_either_dialect(
    connect: Callable[[], Connection], gateway: Gateway, target: str
) -> None:
    connection = connect()
    for endpoint in (MESSAGES, CHAT):
        answer = connection.ask(endpoint.request(gateway.key, target=target))
        assert_refused(answer, None if answer.says_close else endpoint.dialect, {400, 404, 405})
        assert injected(answer) == []
        if answer.says_close:
            connection = connect()


def test_an_absolute_target_is_served_as_its_path(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    connection = connect()
    for origin in ("http://tollway", "http://elsewhere.example:8000", "http://user:secret@tollway", "https://[::1]:1"):
        assert connection.ask(endpoint.request(gateway.key, target=origin + endpoint.path)).status == 200


@pytest.mark.parametrize(
    "target", ["http://", "http:///", "ftp://x", "http://[::1", "tollway:443", "http://x:99999999/"]
)
def test_an_absolute_target_that_is_none_is_refused(
    connect: Callable[[], Connection], gateway: Gateway, target: str
) -> None:
    assert_refused(connect().ask(CHAT.request(gateway.key, target=target)), statuses={400, 404, 405})


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "PURGE"])
def test_a_method_that_a_route_does_not_take_is_a_405_that_names_those_it_takes(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, method: str
) -> None:
    connection = connect()
    answer = connection.ask(endpoint.request(gateway.key, method=method), method=method)
    assert answer.status == 405
    assert "POST" in answer.header("allow")
    if method != "HEAD":
        assert_refused(answer, endpoint.dialect)
    assert connection.ask(endpoint.request(gateway.key)).status == 200


@pytest.mark.parametrize("path", ["/health", "/health/live", "/metrics", "/v1/models", "/v1/metrics", "/openapi.json"])
def test_every_other_route_refuses_what_it_does_not_take(
    connect: Callable[[], Connection], gateway: Gateway, path: str
) -> None:
    connection = connect()
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
        answer = connection.ask(CHAT.request(gateway.key, method=method, target=path))
        assert_refused(answer, "openai", {405})


@pytest.mark.parametrize(
    "count", ["0", "-1", "1001", "x", "", "1e3", "1.5", "٣", "99999999999999999999", "1&n=2", "%00"]
)
def test_a_count_out_of_bounds_is_a_400_that_names_it(
    connect: Callable[[], Connection], gateway: Gateway, count: str
) -> None:
    target = f"/v1/metrics/recent?n={count}".encode().decode("latin-1")
    answer = connect().ask(CHAT.request(gateway.key, method="GET", target=target), method="GET")
    if answer.status != 200 or count != "1&n=2":
        assert_refused(answer, statuses={400})


@pytest.mark.parametrize(
    "query", ["?", "?&&&", "?=", "?a=%0d%0aset-cookie:%20a=b", "?%ff=%00", "?a[]=1&a[b]=2", "?" + "a=1&" * 900]
)
def test_a_query_goes_to_the_provider_and_does_no_harm(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, query: str
) -> None:
    connection = connect()
    for raw in (query, query + "&x=\xff", query + "#fragment", query + '&x=|{}^`\\"'):
        answer = connection.ask(endpoint.request(gateway.key, target=endpoint.path + raw))
        if answer.status != 200:
            assert_refused(answer, statuses={400})
        assert injected(answer) == []
        if answer.says_close:
            connection = connect()


BREAKS = ["\r\n", "\n", "\r", "\u2028", "\x85", "\x0b", "\x0c", "\x00", "\u560a\u560d", "%0d%0a", "\\r\\n"]


@pytest.mark.parametrize("line_break", BREAKS, ids=ascii)
def test_no_name_in_a_body_writes_a_header(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, line_break: str
) -> None:
    name = f"m{line_break}x-injected: 1{line_break}{line_break}HTTP/1.1 200 OK"
    connection = connect()
    prompts = [{"id": name}, {"id": "concise-assistant", "variables": {name: name}}]
    for fields in ({"model": name}, *({"prompt": prompt} for prompt in prompts), {"metadata": {"user_id": name}}):
        for stream in (False, True):
            body = endpoint.body(stream=stream, **fields)
            answer = connection.ask(endpoint.request(gateway.key, body))
            if answer.status != 200:
                assert_refused(answer, endpoint.dialect, {400, 404})
            assert injected(answer) == []


def test_no_header_of_a_client_comes_back(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    told = {
        "x-injected": "1",
        "x-gateway-model": "x",
        "x-gateway-query-id": "x",
        "set-cookie": "x",
        "x-request-id": "x",
    }
    answer = connect().ask(endpoint.request(gateway.key, **told))
    assert answer.status == 200
    assert injected(answer) == []
    assert "x" not in [value for _, value in answer.headers]


def test_an_unknown_prompt_name_is_told_back_shortened(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    for name in ("x" * 100_000, "../../../etc/passwd", "\x00", "a" * 300 + "\n"):
        answer = connect().ask(endpoint.request(gateway.key, endpoint.body(prompt={"id": name})))
        message = assert_refused(answer, endpoint.dialect, {400, 404})
        assert len(message) < 1000
        assert "\x00" not in json.dumps(message).replace("\\u0000", "")


def injected(answer: Answer) -> list[tuple[str, str]]:
    """Headers that nobody but the attacker knows."""
    return [(name, value) for name, value in answer.headers if name in ("x-injected", "set-cookie")]
