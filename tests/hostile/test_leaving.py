"""Clients that leave at every stage of a request, politely and not: nothing stays open, each call is booked once."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from hostile.asking import COUNT_TOKENS, ENDPOINTS, INPUT_TOKENS, STREAMING, Endpoint
from hostile.connection import Connection
from hostile.ledger import newest, row_of, rows_since

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway import Gateway

abruptly = pytest.mark.parametrize("abruptly", [False, True], ids=["closed", "reset"])


# every endpoint whole, and streamed where it can be
MANNERS = [(endpoint, False) for endpoint in ENDPOINTS] + [(endpoint, True) for endpoint in STREAMING]


@abruptly
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999], ids=lambda share: f"after {share:.1%}")
def test_who_leaves_before_its_request_is_whole_costs_nothing(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, share: float, abruptly: bool
) -> None:
    served, known = gateway.log_end(), newest(gateway)
    request = endpoint.request(gateway.key, endpoint.body("x" * 500))
    connection = connect()
    connection.send(request[: int(len(request) * share)])
    connection.leave(abruptly=abruptly)
    assert connect().ask(endpoint.request(gateway.key)).status == 200
    assert gateway.log_end() == served + 1
    unasked = [row for row in rows_since(gateway, known) if row["status"] != "succeeded"]
    assert len(unasked) <= 1
    assert all(row["status"] == "cancelled" and not row["attempts"] for row in unasked)


@abruptly
@pytest.mark.parametrize(("endpoint", "stream"), MANNERS, ids=str)
def test_who_leaves_while_the_provider_thinks_is_cancelled_there_and_booked(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, abruptly: bool, stream: bool
) -> None:
    since, known = gateway.log_end(), newest(gateway)
    connection = connect()
    connection.send(endpoint.request(gateway.key, endpoint.body("[delay=20]", **({"stream": True} if stream else {}))))
    gateway.await_served(since)
    connection.leave(abruptly=abruptly)
    assert gateway.await_served(since, disconnected=1)["output_tokens"] == 0
    [row] = rows_since(gateway, known)
    assert (row["status"], row["reason"]) == ("cancelled", "CLIENT_LEFT")
    assert row["usage"]["estimated"] == (endpoint not in (COUNT_TOKENS, INPUT_TOKENS)), "a count is free"
    assert len(row["attempts"]) == 1


@abruptly
@pytest.mark.parametrize("endpoint", STREAMING, ids=str)
@pytest.mark.parametrize("words", [0, 1, 50])
def test_who_leaves_within_its_stream_is_cancelled_there_and_booked(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, abruptly: bool, words: int
) -> None:
    since = gateway.log_end()
    connection = connect()
    connection.send(endpoint.request(gateway.key, endpoint.body("[pace=0.002]", words=2000, stream=True)))
    query_id = connection.head().header("x-gateway-query-id")
    for _ in range(words):
        connection.until(b"\n\n")
    connection.leave(abruptly=abruptly)
    assert not gateway.await_served(since, disconnected=1)["completed"]
    row = row_of(gateway, query_id)
    assert (row["status"], row["reason"]) == ("cancelled", "CLIENT_LEFT")


def test_who_leaves_without_reading_a_whole_answer_is_booked_once(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    since, known = gateway.log_end(), newest(gateway)
    connection = connect()
    connection.send(endpoint.request(gateway.key))
    gateway.await_served(since, finished=1)
    connection.leave(abruptly=True)
    [row] = rows_since(gateway, known)
    assert row["status"] in ("succeeded", "cancelled")
    assert len(row["attempts"]) == 1


def test_a_storm_of_clients_that_leave_anywhere_leaves_nothing_open(gateway: Gateway) -> None:
    chance = random.Random(20261121)
    front = psutil.Process(gateway.pids.get("compact") or gateway.pids["edge"])
    before = front.num_fds()
    for _ in range(300):
        endpoint = chance.choice(STREAMING)
        body = json.dumps(endpoint.body("[pace=0.001]", words=50, stream=chance.random() < 0.5)).encode()
        request = endpoint.request(gateway.key, body)
        connection = Connection(gateway.url)
        connection.send(request[: chance.randint(0, len(request))] if chance.random() < 0.6 else request)
        if chance.random() < 0.2:
            connection.stop_sending()
        connection.leave(abruptly=chance.random() < 0.5)
    deadline = time.monotonic() + 10
    while front.num_fds() > before + 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert front.num_fds() <= before + 20, "connections of clients that are gone stay open"
