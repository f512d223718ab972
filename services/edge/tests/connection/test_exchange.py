"""The hot routes behind a real server, spoken to over raw sockets."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from edge_peer import chunked, head, request
from tollway_dialects.usage import Usage
from tollway_edge.domain.answer import CachedAnswer

MOST = 1000
LARGE = 24 * 1024 * 1024  # more than the system takes for a client that does not read
ANSWER = b'{"content": [], "stop_reason": "end_turn"}'


async def test_a_body_may_come_in_many_pieces(connect: Any, ports: Any, body: bytes) -> None:
    raw = request(body)
    async with connect() as peer:
        for size in (1, 7, len(raw)):
            status, _, answer = await peer.ask(*[raw[at : at + size] for at in range(0, len(raw), size)])
            assert (status, answer) == (200, ANSWER)
            assert ports.records[-1].body.raw == body


async def test_a_body_may_come_chunked(connect: Any, ports: Any, body: bytes) -> None:
    async with connect() as peer:
        for size in (5, len(body)):
            pieces = chunked(*[body[at : at + size] for at in range(0, len(body), size)])
            assert (await peer.ask(head(transfer_encoding="chunked"), *pieces))[0] == 200
            assert ports.records[-1].body.raw == body
        assert (await peer.ask(b"".join([head(transfer_encoding="chunked"), *pieces])))[0] == 200


async def test_a_body_that_says_it_is_too_large_is_refused_unread_and_the_connection_goes_on(
    connect: Any, body: bytes
) -> None:
    for path, word in (("/v1/messages", "request_too_large"), ("/v1/chat/completions", "invalid_request_error")):
        async with connect() as peer:
            status, headers, answer = await peer.ask(head(path, content_length=MOST + 1))
            assert (status, headers[b"x-should-retry"]) == (413, b"false")
            assert json.loads(answer)["error"]["type"] == word
            await peer.write(b"x" * (MOST + 1))
            assert (await peer.ask(request(body)))[0] == 200


@pytest.mark.parametrize("size", [MOST + 1, 100, 1])
async def test_a_body_that_turns_out_too_large_is_refused_and_the_connection_goes_on(
    connect: Any, ports: Any, body: bytes, size: int
) -> None:
    pieces = [b"x" * size] * (MOST // size + 1)
    async with connect() as peer:
        status, _, answer = await peer.ask(b"".join([head(transfer_encoding="chunked"), *chunked(*pieces)]))
        assert (status, json.loads(answer)["error"]["type"]) == (413, "request_too_large")
        assert (await peer.ask(request(body)))[0] == 200
    assert [record.reason for record in ports.records] == ["BODY_TOO_LARGE", ""]


async def test_a_body_of_exactly_the_limit_is_taken(connect: Any, body: bytes) -> None:
    async with connect() as peer:
        assert (await peer.ask(request(body.ljust(MOST))))[0] == 200


@pytest.mark.parametrize("length", ["-1", "+5", "five", "5, 6", "9" * 30, ""])
async def test_a_content_length_that_is_no_number_ends_the_connection(connect: Any, ports: Any, length: str) -> None:
    async with connect() as peer:
        assert (await peer.ask(head(content_length=length) + b"{}"))[0] == 400
        assert await peer.reader.read() == b""
    assert ports.records == []


@pytest.mark.parametrize("sent", [0, 10])
async def test_a_client_that_leaves_in_its_own_body_is_booked_as_cancelled(
    connect: Any, ports: Any, body: bytes, sent: int
) -> None:
    async with connect() as peer:
        await peer.write(head(content_length=len(body)), body[:sent])
    await ports.await_records(1)
    assert [(record.status, record.usage.total) for record in ports.records] == [("cancelled", 0)]
    assert "look_up" not in ports.steps


@pytest.mark.parametrize("step", ["look_up", "complete", "piece 0", "piece 3"])
async def test_a_client_that_leaves_while_it_is_answered_cancels_the_call_at_once(
    connect: Any, ports: Any, body: bytes, make_body: Any, step: str
) -> None:
    ports.holds_at = step
    async with connect() as peer:
        await peer.write(request(make_body(stream=step != "complete")))
        await asyncio.wait_for(ports.reached.wait(), 5)
    await ports.await_records(1)
    assert [(record.status, record.reason) for record in ports.records] == [("cancelled", "CLIENT_LEFT")]
    assert not ports.is_upstream_open


async def unanswered(ports: Any) -> None:
    """Let the provider answer, and assert that no call has ended once the answer is on its way to the client."""
    async with asyncio.timeout(5):
        await ports.reached.wait()
    ports.goes_on.set()
    for _ in range(100):
        await asyncio.sleep(0)
    assert ports.records == []


@pytest.mark.parametrize("is_cached", [False, True])
async def test_a_whole_answer_is_waited_for_until_its_client_has_read_it_and_the_connection_goes_on(
    connect: Any, ports: Any, body: bytes, make_piece: Any, is_cached: bool
) -> None:
    large = b"x" * LARGE
    ports.whole, ports.holds_at = make_piece(large), "look_up" if is_cached else "complete"
    ports.cached = CachedAnswer(large, "anthropic", "claude-haiku", "n/a", Usage(), 0, "exact") if is_cached else None
    async with connect() as peer:
        await peer.write(request(body))
        await unanswered(ports)
        status, headers, answer = await peer.answer()
        assert (status, len(answer), headers.get(b"connection")) == (200, LARGE, None)
        await ports.await_records(1)
        ports.whole, ports.cached = make_piece(ANSWER), None
        assert (await peer.ask(request(body)))[2] == ANSWER


async def test_a_client_that_leaves_within_a_whole_answer_is_booked_as_cancelled(
    connect: Any, ports: Any, body: bytes, make_piece: Any
) -> None:
    ports.whole, ports.holds_at = make_piece(b"x" * LARGE), "complete"
    async with connect() as peer:
        await peer.write(request(body))
        await unanswered(ports)
    await ports.await_records(1)
    assert [(record.status, record.reason) for record in ports.records] == [("cancelled", "CLIENT_LEFT")]


async def test_a_request_behind_a_whole_answer_that_is_not_read_waits(
    connect: Any, ports: Any, body: bytes, make_piece: Any
) -> None:
    ports.whole, ports.holds_at = make_piece(b"x" * LARGE), "complete"
    async with connect() as peer:
        await peer.write(request(body) * 3)
        await unanswered(ports)
        assert ports.steps.count("complete") == 1
        for _ in range(3):
            status, _, answer = await peer.answer()
            assert (status, len(answer)) == (200, LARGE)
        await ports.await_records(3)


async def test_a_connection_is_kept_after_every_kind_of_answer(
    connect: Any, ports: Any, body: bytes, make_body: Any
) -> None:
    stream = request(make_body(stream=True))
    async with connect() as peer:
        for asked, status in (
            (request(body), 200),
            (stream, 200),
            (request(b"{"), 400),
            (request(body, key="tw_nobody"), 401),
            (request(body, "/no/such/path"), 404),
            (head(method="PUT", content_length=2) + b"{}", 405),
            (head(method="GET"), 405),
            (head(method="DELETE"), 405),
            (head(method="OPTIONS"), 200),
            (stream, 200),
            (request(b"x" * (MOST + 1)), 413),
            (request(body), 200),
        ):
            told, headers, _ = await peer.ask(asked)
            assert (told, headers.get(b"connection")) == (status, None), asked
            if status == 405 or asked.startswith(b"OPTIONS"):
                assert headers[b"allow"] == b"post, options"
        await peer.write(head(method="HEAD"))
        status, headers, _ = await peer.answer(has_body=False)
        assert (status, int(headers[b"content-length"]) > 0) == (405, True)
        assert (await peer.ask(request(body)))[0] == 200
    await ports.await_records(7)
    assert {record.status for record in ports.records} == {"succeeded", "failed"}


@pytest.mark.parametrize("is_stream", [False, True])
async def test_requests_in_one_write_are_answered_one_after_the_other(
    connect: Any, ports: Any, body: bytes, make_body: Any, is_stream: bool
) -> None:
    async with connect() as peer:
        asked = [request(make_body(stream=is_stream, metadata={"number": number})) for number in range(4)]
        await peer.write(b"".join([*asked, request(b"{"), request(body)]))
        assert [(await peer.answer())[0] for _ in range(6)] == [200] * 4 + [400, 200]
    await ports.await_records(6)
    assert sorted(record.status for record in ports.records) == ["failed"] + ["succeeded"] * 5
    # nobody left: what follows the last byte of an answer was done for each
    assert len(ports.stored) == 5
