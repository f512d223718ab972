"""What every HTTP client towards providers must do with requests, answers and connections."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

import pytest
from tollway_dialects.header_lines import from_lines
from tollway_provider_dispatch.domain.ports import UpstreamBroken

if TYPE_CHECKING:
    from tollway_provider_dispatch.domain.ports import UpstreamAnswer

HEADERS = b"content-type: application/json\r\nx-api-key: sk\r\nanthropic-beta: a,b\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def pieces(answer: UpstreamAnswer) -> list[bytes]:
    seen = []
    while data := await answer.piece():
        seen.append(data)
    return seen


@pytest.mark.parametrize("size", [2, 1 << 16, 3 << 20])
async def test_a_request_arrives_as_it_was_given_with_nothing_added(server, client, size):
    server.says(OK)
    body = b"\x00\xff" * (size // 2)
    answer = await client.request("POST", f"{server.url}/v1/messages?beta=true&x=%2F%20+", HEADERS, body)
    assert (answer.status, await answer.read()) == (200, b"{}")
    request = server.requests[0]
    assert request.line == "POST /v1/messages?beta=true&x=%2F%20+ HTTP/1.1"
    assert request.body == body
    sent = {(name.lower(), value) for name, value in request.headers}
    assert sent == {
        ("content-type", "application/json"),
        ("x-api-key", "sk"),
        ("anthropic-beta", "a,b"),
        ("host", f"127.0.0.1:{server.port}"),
        ("content-length", str(size)),
    }


async def test_headers_come_back_in_lower_case_without_those_of_the_connection(server, client):
    server.says(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nRequest-Id: req_1\r\n"
        b"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a=b\r\nDate: now\r\nServer: x\r\n"
        b"X-Twice: 1\r\nX-Twice: 2\r\nTE: x\r\nProxy-Connection: close\r\nAlt-Svc: h3\r\n"
        b'Strict-Transport-Security: max-age=9\r\nClear-Site-Data: "*"\r\n\r\n{}'
    )
    answer = await client.request("POST", server.url, HEADERS, b"{}")
    assert sorted(from_lines(answer.header_lines)) == [
        (b"content-type", b"application/json"),
        (b"request-id", b"req_1"),
        (b"x-twice", b"1"),
        (b"x-twice", b"2"),
    ]
    await answer.read()


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (b"connection: keep-alive\r\n", {b"x-hop", b"x-other"}),
        (b"connection: CLOSE\r\n", {b"x-hop", b"x-other"}),
        (b"connection: X-Hop\r\n", {b"x-other"}),
        (b"connection: keep-alive ,x-other\r\nConnection: close, X-HOP\r\n", set()),
    ],
)
async def test_headers_that_the_answers_connection_names_stay_here(server, client, told, kept):
    server.says(b"HTTP/1.1 200 OK\r\nx-hop: 1\r\n%bX-Other: 2\r\ncontent-length: 0\r\n\r\n" % told)
    answer = await client.request("POST", server.url, HEADERS, b"{}")
    assert {name for name, _ in from_lines(answer.header_lines)} == kept
    await answer.read()


@pytest.mark.parametrize("status", [200, 307, 400, 401, 429, 500, 529])
async def test_every_status_is_an_answer(server, client, status):
    server.says(b"HTTP/1.1 %d X\r\nlocation: /elsewhere\r\nretry-after: 2\r\ncontent-length: 3\r\n\r\nabc" % status)
    answer = await client.request("POST", server.url, HEADERS, b"{}")
    assert (answer.status, await answer.read()) == (status, b"abc")
    assert (b"retry-after", b"2") in from_lines(answer.header_lines)
    assert len(server.requests) == 1


async def test_a_compressed_body_is_handed_on_decoded_and_says_so(server, client):
    packed = gzip.compress(b"hello " * 100)
    head = b"HTTP/1.1 400 X\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    server.says(head + packed)
    answer = await client.request("POST", server.url, HEADERS, b"{}")
    assert answer.at_hand() is None, "what is here is not decoded"
    assert await answer.read() == b"hello " * 100
    assert answer.header_lines == b""


async def test_another_gateways_words_of_itself_stay_here(server, client):
    server.says(
        b"HTTP/1.1 200 OK\r\nX-Gateway-Model: theirs\r\nx-gateways: 1\r\nx-gateway-: 2\r\ncontent-length: 0\r\n\r\n"
    )
    answer = await client.request("POST", server.url, HEADERS, b"{}")
    assert answer.header_lines == b"x-gateways: 1\r\n"


@pytest.mark.parametrize("control", [b"\x00", b"\x01", b"\x0b", b"\r", b"\x1f", b"\x7f"])
async def test_no_control_character_is_handed_on_in_a_header(server, client, control):
    server.says(b"HTTP/1.1 200 OK\r\nx-bad: a" + control + b"b\r\nx-good: \xef\tc\r\ncontent-length: 0\r\n\r\n")
    try:
        told = (await client.request("POST", server.url, HEADERS, b"{}")).header_lines
    except UpstreamBroken as broken:
        told = broken.reason.encode()
    assert told in {b"malformed_response", b"x-good: \xef\tc\r\n"}


async def test_no_cookie_is_kept(server, client):
    server.says(b"HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n")
    for _ in range(2):  # by name, since addresses have no cookies anyway
        await (await client.request("POST", f"http://localhost:{server.port}", HEADERS, b"{}")).read()
    assert "cookie" not in {name.lower() for name, _ in server.requests[1].headers}


async def test_pieces_come_as_they_arrive(server, client):
    seen = asyncio.Event()

    async def answer(_, writer):
        writer.write(CHUNKED + chunk(b"one"))
        await seen.wait()
        writer.write(chunk(b"two") + END)

    server.answer = answer
    answered = await client.request("POST", server.url, HEADERS, b"{}")
    assert await answered.piece() == b"one"
    seen.set()
    assert await pieces(answered) == [b"two"]


async def test_an_answer_has_ended_once_its_end_is_here(server, client):
    goes_on = asyncio.Event()

    async def answer(_, writer):
        writer.write(CHUNKED + chunk(b"one"))
        await goes_on.wait()
        writer.write(END)

    server.answer = answer
    answered = await client.request("POST", server.url, HEADERS, b"{}")
    assert await answered.piece() == b"one"
    assert not answered.has_ended
    goes_on.set()
    assert await answered.piece() == b""
    assert answered.has_ended
    answered.close()


async def test_what_arrived_together_is_handed_on_together(server, client):
    server.says(CHUNKED + b"".join(chunk(b"%d" % number) for number in range(5)) + END)
    assert await pieces(await client.request("POST", server.url, HEADERS, b"{}")) == [b"01234"]


async def test_a_connection_is_kept_after_a_whole_answer_read_either_way(server, client):
    for _ in range(2):
        server.says(OK)
        answer = await client.request("POST", server.url, HEADERS, b"{}")
        await answer.read()
        answer.close()
        server.says(CHUNKED + chunk(b"data"), END)
        answer = await client.request("POST", server.url, HEADERS, b"{}")
        assert await pieces(answer) == [b"data"]
        answer.close()
    assert (server.connections, len(server.requests), server.left.is_set()) == (1, 4, False)


async def test_calls_at_the_same_time_do_not_wait_for_one_another(server, client):
    server.says(CHUNKED + chunk(b"x"))  # none of them ends
    answers = await asyncio.gather(*(client.request("POST", server.url, HEADERS, b"{}") for _ in range(120)))
    assert [await answer.piece() for answer in answers] == [b"x"] * 120
    assert server.connections == 120
    for answer in answers:
        answer.close()


async def test_closing_an_answer_early_closes_its_connection_at_once(server, client):
    async def answer(reader, writer):
        writer.write(CHUNKED + chunk(b"x"))
        assert await reader.read(1) == b""
        raise ConnectionError

    server.answer = answer
    cut = await client.request("POST", server.url, HEADERS, b"{}")
    assert await cut.piece() == b"x"
    cut.close()
    await asyncio.wait_for(server.left.wait(), 0.2)
    server.says(OK)
    assert await (await client.request("POST", server.url, HEADERS, b"{}")).read() == b"{}"
    assert server.connections == 2


async def test_cancelling_a_request_closes_its_connection_at_once(server, client):
    asked = asyncio.Event()

    async def answer(reader, _):
        asked.set()
        assert await reader.read(1) == b""
        raise ConnectionError

    server.answer = answer
    request = asyncio.create_task(client.request("POST", server.url, HEADERS, b"{}"))
    await asked.wait()
    request.cancel()
    await asyncio.wait_for(server.left.wait(), 0.2)
    with pytest.raises(asyncio.CancelledError):
        await request


async def test_a_server_that_closed_its_idle_connection_is_asked_over_a_new_one(server, client):
    async def answer(_, writer):
        writer.write(OK)
        writer.close()

    server.answer = answer
    for _ in range(2):
        assert await (await client.request("POST", server.url, HEADERS, b"{}")).read() == b"{}"
        await asyncio.wait_for(server.left.wait(), 1)
        await asyncio.sleep(0.01)  # until the client has seen it too
    assert server.connections == 2


async def test_the_limit_is_on_silence_and_not_on_the_whole_answer(server, client_kind):
    async def answer(_, writer):
        writer.write(CHUNKED)
        for number in range(5):
            await asyncio.sleep(0.1)
            writer.write(chunk(b"%d" % number))
        writer.write(END)

    server.answer = answer
    client = client_kind(5.0, 0.4)
    assert b"".join(await pieces(await client.request("POST", server.url, HEADERS, b"{}"))) == b"01234"
    await client.aclose()
