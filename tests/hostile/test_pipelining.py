"""Several requests on one connection before the first answer: answered in order, each its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hostile.asking import CHAT, MESSAGES, STREAMING, Endpoint
from hostile.connection import Answer, Connection
from hostile.ledger import newest, rows_since
from hostile.verdict import assert_end, assert_refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway import Gateway


# those whose answers tell by their words which request they answer
streaming = pytest.mark.parametrize("endpoint", STREAMING, ids=str)


def words_of(answer: Answer) -> int:
    """Count the words that the simulator was asked for."""
    assert answer.status == 200, answer
    if answer.header("content-type").startswith("text/event-stream"):
        return max(map(answer.body.count, (b'"text_delta"', b'"delta":{"content":"', b'"response.output_text.delta"')))
    usage = answer.json()["usage"]
    return usage.get("output_tokens") or usage["completion_tokens"]


def asking(gateway: Gateway, endpoint: Endpoint, words: int, delay: float = 0, stream: bool = False) -> bytes:
    text = f"[delay={delay}]" if delay else "hello"
    return endpoint.request(gateway.key, endpoint.body(text, words=words, stream=stream))


@streaming
@pytest.mark.parametrize("first_delay", [0, 0.2])
def test_answers_come_in_the_order_of_the_requests(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, first_delay: float
) -> None:
    requests = [asking(gateway, endpoint, n, first_delay if n == 1 else 0) for n in range(1, 4)]
    connection = connect()
    connection.send(b"".join(requests))
    assert [words_of(connection.answer()) for _ in requests] == [1, 2, 3]


def test_a_long_queue_is_served_in_order(connect: Callable[[], Connection], gateway: Gateway) -> None:
    """Longer than the gateway lets wait: it reads on as the queue gets shorter."""
    count = 60
    connection = connect()
    connection.send(
        b"".join(asking(gateway, STREAMING[n % len(STREAMING)], n, stream=n % 3 == 0) for n in range(1, count + 1))
    )
    assert [words_of(connection.answer()) for _ in range(count)] == list(range(1, count + 1))


@pytest.mark.parametrize("size", [1, 7, 100])
def test_requests_may_be_cut_anywhere(connect: Callable[[], Connection], gateway: Gateway, size: int) -> None:
    raw = asking(gateway, MESSAGES, 1) + asking(gateway, CHAT, 2, stream=True) + asking(gateway, MESSAGES, 3)
    connection = connect()
    connection.send(*[raw[at : at + size] for at in range(0, len(raw), size)])
    assert [words_of(connection.answer()) for _ in range(3)] == [1, 2, 3]


def test_refusals_stand_in_their_places(connect: Callable[[], Connection], gateway: Gateway) -> None:
    connection = connect()
    connection.send(
        asking(gateway, MESSAGES, 5, delay=0.1),
        MESSAGES.request("tw_nobody"),
        CHAT.request(gateway.key, b'{"model": '),
        CHAT.head(gateway.key, method="GET", target="/health/live"),
        CHAT.request(gateway.key, target="/nowhere"),
        asking(gateway, CHAT, 6, stream=True),
        CHAT.head(gateway.key, method="GET"),
    )
    assert words_of(connection.answer()) == 5
    assert_refused(connection.answer(), "anthropic", {401})
    assert_refused(connection.answer(), "openai", {400})
    assert connection.answer().json() == {"status": "ok"}
    assert_refused(connection.answer(), "openai", {404})
    assert words_of(connection.answer()) == 6
    assert_refused(connection.answer(), "openai", {405})


@streaming
def test_what_is_no_request_does_not_spoil_the_answers_before_it(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    connection = connect()
    connection.send(asking(gateway, endpoint, 1, delay=0.1) + asking(gateway, endpoint, 2) + b"no HTTP at all\r\n\r\n")
    assert [words_of(connection.answer()) for _ in range(2)] == [1, 2]
    assert_end(connection, {400})


@streaming
def test_a_request_whose_body_stops_does_not_spoil_the_answer_before_it(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    connection = connect()
    connection.send(asking(gateway, endpoint, 1, delay=0.1) + endpoint.head(gateway.key, content_length=100) + b"{")
    assert words_of(connection.answer()) == 1
    assert_end(connection, {408})


@streaming
def test_nothing_is_served_behind_a_request_that_closes(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    since = gateway.log_end()
    connection = connect()
    last = endpoint.request(gateway.key, endpoint.body(words=1), connection="close")
    connection.send(last + asking(gateway, endpoint, 2))
    assert words_of(connection.answer()) == 1
    assert connection.rest() == b""
    assert gateway.log_end() == since + 1


@streaming
def test_who_leaves_takes_its_waiting_requests_along(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    since, known = gateway.log_end(), newest(gateway)
    connection, other = connect(), connect()
    connection.send(asking(gateway, endpoint, 1, delay=20) + asking(gateway, endpoint, 2) * 3)
    gateway.await_served(since)
    other.send(asking(gateway, endpoint, 7, delay=0.1) + asking(gateway, endpoint, 8))
    connection.leave()
    gateway.await_served(since, disconnected=1)
    assert [words_of(other.answer()) for _ in range(2)] == [7, 8]
    assert gateway.log_end() == since + 3, "the provider was asked for a client that was gone"
    asked = [row["status"] for row in rows_since(gateway, known, 3) if row["attempts"]]
    assert sorted(asked) == ["cancelled", "succeeded", "succeeded"]


@streaming
def test_a_stream_between_answers_keeps_its_bytes_to_itself(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    connection = connect()
    connection.send(b"".join(asking(gateway, endpoint, n, stream=n != 30) for n in (20, 30, 40)))
    answers = [connection.answer() for _ in range(3)]
    assert [words_of(answer) for answer in answers] == [20, 30, 40]
    assert len({answer.header("x-gateway-query-id") for answer in answers}) == 3
    json.loads(answers[1].body)


def test_a_refused_large_body_is_not_taken_for_requests(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    """A body that is refused unread is full of requests: none of them may be served."""
    smuggled = CHAT.request(gateway.key) * 100
    since = gateway.log_end()
    connection = connect()
    connection.send(endpoint.head(gateway.key, content_length=40 << 20), smuggled)
    assert_refused(connection.answer(), endpoint.dialect, {413})
    connection.stop_sending()
    assert connection.rest() == b""
    assert gateway.log_end() == since
