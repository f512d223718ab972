"""What a client may take of time and memory, and what it is told when it takes more."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from typing import Any

import pytest
from edge_peer import head, request


async def refusal(peer: Any) -> tuple[int, str, bytes]:
    """The answer's status and message, and whatever came behind it until the connection ended."""
    status, headers, body = await peer.answer()
    assert headers[b"connection"] == b"close"
    return status, json.loads(body)["error"]["message"], await asyncio.wait_for(peer.reader.read(), 5)


class TestInTime:
    @pytest.fixture(autouse=True)
    def _hasty(self, limits: dict[str, Any]) -> None:
        limits.update(head_timeout=0.1, body_timeout=0.1, write_timeout=0.1, idle_timeout=0.1)

    @pytest.mark.parametrize("sent", [b"\r\n", b"P", b"POST /v1/messages HTTP/1.1\r\nhost: a\r\n"])
    async def test_a_head_that_does_not_end_is_refused(self, connect: Any, sent: bytes) -> None:
        async with connect() as peer:
            await peer.write(sent)
            assert await refusal(peer) == (
                408,
                "the request's head did not arrive in time; the connection is closed, send it again",
                b"",
            )

    async def test_a_body_that_does_not_end_is_refused_in_the_dialect_and_booked(
        self, connect: Any, ports: Any
    ) -> None:
        async with connect() as peer:
            await peer.write(head(content_length=100), b"{")
            status, message, rest = await refusal(peer)
        assert (status, rest) == (408, b"")
        assert message.startswith("the request's body did not arrive in time")
        await ports.await_records(1)
        assert ports.records[0].reason == "REQUEST_TIMEOUT"

    async def test_a_body_that_comes_fast_enough_has_all_the_time_it_needs(self, connect: Any, body: bytes) -> None:
        async with connect() as peer:
            await peer.write(head(content_length=900), body)
            for _ in range(15):  # longer than `body_timeout`, and faster than a KiB a second
                await peer.write(b" " * ((900 - len(body)) // 15))
                await asyncio.sleep(0.01)
            await peer.write(b" " * ((900 - len(body)) % 15))
            assert (await peer.answer())[0] == 200

    async def test_an_idle_connection_is_closed_without_a_word(self, connect: Any, body: bytes) -> None:
        async with connect() as peer:
            assert (await peer.ask(request(body)))[0] == 200
            assert await asyncio.wait_for(peer.reader.read(), 5) == b""

    async def test_a_client_that_takes_nothing_is_given_up_and_its_upstream_let_go(
        self, connect: Any, ports: Any, make_body: Any, make_stream: Any
    ) -> None:
        first, *_, last = make_stream()
        ports.pieces = [first, *[type(first)(data=b"x" * 1_000_000)] * 50, last]
        async with connect() as peer:
            peer.writer.transport.pause_reading()
            await peer.write(request(make_body(stream=True)))
            await ports.await_records(1)
            assert (ports.records[0].status, ports.is_upstream_open) == ("cancelled", False)


async def test_a_head_above_the_limit_is_refused_whether_it_ends_or_not(connect: Any, limits: Any, body: bytes) -> None:
    for raw in (head(x_long="x" * 70_000, content_length=0), head(x_long="x" * 70_000)[:-2]):
        async with connect() as peer:
            await peer.write(raw)
            assert (await refusal(peer))[0] == 431


async def test_a_large_body_behind_its_head_is_no_large_head(connect: Any, limits: dict[str, Any], body: bytes) -> None:
    async with connect() as peer:
        status, _, _ = await peer.ask(request(b" " * 200_000 + body))
        assert status == 413


async def test_what_is_no_http_is_refused_and_the_connection_ends(connect: Any) -> None:
    old = [head().replace(b"HTTP/1.1", version) for version in (b"HTTP/0.9", b"HTTP/2.0", b"")]
    for raw in (
        *old,
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        head(content_length="x"),
    ):
        async with connect() as peer:
            await peer.write(raw)
            assert (await refusal(peer))[::2] == (400, b"")


async def test_what_is_no_http_does_not_spoil_the_answer_before_it(connect: Any, body: bytes) -> None:
    async with connect() as peer:
        await peer.write(request(body) + b"\x00\x01garbage\r\n\r\n")
        assert (await peer.answer())[0] == 200
        assert await asyncio.wait_for(peer.reader.read(), 5) == b""


async def test_a_chunked_body_that_breaks_is_refused_in_the_dialect(connect: Any, ports: Any) -> None:
    async with connect() as peer:
        await peer.write(head(transfer_encoding="chunked"), b'5\r\n{"a":\r\n', b"zz\r\n")
        assert (await refusal(peer))[::2] == (400, b"")
    await ports.await_records(1)
    assert ports.records[0].reason == "MALFORMED_HTTP"


async def test_trailers_are_forgotten_and_too_many_of_them_refused(connect: Any, body: bytes) -> None:
    chunk = b"%x\r\n%b\r\n" % (len(body), body)
    async with connect() as peer:
        await peer.write(head(transfer_encoding="chunked"), chunk, b"0\r\nx-checksum: 1\r\n\r\n")
        assert (await peer.answer())[0] == 200
        await peer.write(head(transfer_encoding="chunked"), chunk, b"0\r\n")
        await peer.write(b"x: y\r\n" * 20_000)
        assert (await refusal(peer))[0] == 400


async def test_a_client_that_leaves_with_a_request_in_the_queue_cancels_the_one_that_runs(
    connect: Any, ports: Any, body: bytes
) -> None:
    ports.holds_at = "complete"
    async with connect() as peer:
        await peer.write(request(body) * 3)
        await asyncio.wait_for(ports.reached.wait(), 5)
    await ports.await_records(1)
    assert [(record.status, record.reason) for record in ports.records] == [("cancelled", "CLIENT_LEFT")]


async def test_a_queue_that_is_full_is_read_on_when_there_is_room(
    connect: Any, limits: dict[str, Any], ports: Any, body: bytes
) -> None:
    async with connect() as peer:
        await peer.write(request(body) * 100)
        for _ in range(100):
            assert (await peer.answer())[0] == 200
    await ports.await_records(100)


async def test_another_protocol_that_is_offered_is_not_taken_and_the_request_is_answered(
    connect: Any, ports: Any, body: bytes
) -> None:
    offer = head(upgrade="h2c", connection="Upgrade, HTTP2-Settings", content_length=len(body))
    async with connect() as peer:
        for pieces in ([offer + body], [offer, body], [offer + body[:9], body[9:]]):
            status, headers, _ = await peer.ask(*pieces)
            assert (status, headers.get(b"connection")) == (200, None)
            assert ports.records[-1].body.raw == body
        assert (await peer.ask(request(body)))[0] == 200


async def test_a_tunnel_is_refused(connect: Any) -> None:
    async with connect() as peer:
        await peer.write(b"CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n\r\n")
        assert (await refusal(peer))[0] == 400


async def test_an_answer_to_http_1_0_ends_with_the_connection(connect: Any, body: bytes, make_body: Any) -> None:
    async with connect() as peer:
        await peer.write(request(make_body(stream=True)).replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        raw = await asyncio.wait_for(peer.reader.read(), 5)
    head_, _, events = raw.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head_
    assert events.startswith(b"event: message_start")
    assert events.endswith(b"\n\n")


async def test_a_client_that_asks_first_is_told_to_go_on(connect: Any, body: bytes) -> None:
    async with connect() as peer:
        await peer.write(head(expect="100-continue", content_length=len(body)))
        assert await peer.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert (await peer.ask(body))[0] == 200
        assert (await peer.ask(request(body)))[0] == 200


async def test_a_client_that_asks_first_and_is_refused_may_keep_its_body(connect: Any, body: bytes) -> None:
    async with connect() as peer:
        await peer.write(head(key="tw_nobody", expect="100-continue", content_length=len(body)))
        assert (await refusal(peer))[::2] == (401, b"")


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("Deflate", zlib.compress), ("identity", bytes)])
async def test_a_compressed_body_is_read(connect: Any, ports: Any, body: bytes, coding: str, pack: Any) -> None:
    packed = pack(body)
    async with connect() as peer:
        assert (await peer.ask(head(content_encoding=coding, content_length=len(packed)) + packed))[0] == 200
    assert ports.records[0].body.raw == body


GZIPPED = gzip.compress(b"{}", mtime=0)


@pytest.mark.parametrize(
    ("coding", "packed", "status", "word"),
    [
        ("br", b"{}", 415, "send gzip"),
        ("gzip", b"{}", 400, "not valid gzip"),
        ("gzip", GZIPPED[:-4], 400, "not valid gzip"),
        ("gzip", GZIPPED + b"more", 400, "not valid gzip"),
        ("gzip", gzip.compress(b" " * 1_000_000, mtime=0)[:1000], 413, "after decoding"),
    ],
    ids=["unknown", "not compressed", "cut", "too long", "bomb"],
)
async def test_a_compressed_body_that_cannot_be_taken_is_refused(
    connect: Any, coding: str, packed: bytes, status: int, word: str
) -> None:
    async with connect() as peer:
        told, _, answer = await peer.ask(head(content_encoding=coding, content_length=len(packed)) + packed)
        assert told == status
        assert word in json.loads(answer)["error"]["message"]


@pytest.mark.parametrize(("kind", "status"), [("text/plain", 415), ("application/json; charset=utf-8", 200)])
async def test_a_body_that_says_it_is_not_json_is_refused(connect: Any, body: bytes, kind: str, status: int) -> None:
    async with connect() as peer:
        assert (await peer.ask(head(content_type=kind, content_length=len(body)) + body))[0] == status
        assert (await peer.ask(request(body)))[0] == 200
