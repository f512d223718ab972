"""What every HTTP client towards providers must say when an answer does not come, or not whole."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from tollway_provider_dispatch.adapters.whole_body import MAX_BODY
from tollway_provider_dispatch.domain.ports import UpstreamBroken

if TYPE_CHECKING:
    from tollway_provider_dispatch.domain.ports import UpstreamAnswer

HEADERS = b"content-type: application/json\r\nx-api-key: sk\r\nanthropic-beta: a,b\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def broken(answer: UpstreamAnswer) -> tuple[bytes, str]:
    """Return what came before an answer broke off, and why it did."""
    seen = b""
    try:
        while data := await answer.piece():
            seen += data
    except UpstreamBroken as error:
        return seen, error.reason
    finally:
        answer.close()
    raise AssertionError("it did not break off")


@pytest.mark.parametrize(
    "cut", [CHUNKED + chunk(b"data"), b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\ndata"], ids=["chunked", "length"]
)
async def test_a_cut_answer_is_a_reset_and_what_came_before_is_handed_on(server, client, cut):
    async def answer(_, writer):
        writer.write(cut)
        writer.close()

    server.answer = answer
    assert await broken(await client.request("POST", server.url, HEADERS, b"{}")) == (b"data", "reset")
    with pytest.raises(UpstreamBroken) as error:
        await (await client.request("POST", server.url, HEADERS, b"{}")).read()
    assert error.value.reason == "reset"


async def test_what_came_before_a_cut_is_handed_on_to_a_late_reader_too(server, client):
    async def answer(_, writer):
        writer.write(CHUNKED + chunk(b"data"))
        writer.close()

    server.answer = answer
    begun = await client.request("POST", server.url, HEADERS, b"{}")
    await asyncio.sleep(0.02)  # until the client has seen the end
    assert await broken(begun) == (b"data", "reset")


async def test_a_connection_reset_in_mid_answer_is_a_reset(server, client):
    async def answer(_, writer):
        writer.write(CHUNKED + chunk(b"data"))
        await seen.wait()
        writer.transport.abort()

    seen = asyncio.Event()
    server.answer = answer
    begun = await client.request("POST", server.url, HEADERS, b"{}")
    assert await begun.piece() == b"data"
    seen.set()
    with pytest.raises(UpstreamBroken) as error:
        await begun.piece()
    assert error.value.reason == "reset"
    begun.close()


async def test_a_connection_closed_without_an_answer_is_a_reset(server, client):
    async def answer(_, writer):
        writer.close()

    server.answer = answer
    with pytest.raises(UpstreamBroken) as error:
        await client.request("POST", server.url, HEADERS, b"{}")
    assert error.value.reason == "reset"


async def test_an_answer_that_is_not_http_is_malformed(server, client):
    server.says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    with pytest.raises(UpstreamBroken) as error:
        await client.request("POST", server.url, HEADERS, b"{}")
    assert error.value.reason == "malformed_response"


async def test_nobody_listening_is_a_failed_connect(client):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but it does not listen
        with pytest.raises(UpstreamBroken) as error:
            await client.request("POST", f"http://127.0.0.1:{taken.getsockname()[1]}/", HEADERS, b"{}")
    assert error.value.reason == "connect_failed"


async def test_a_connection_that_does_not_come_up_is_a_failed_connect(hasty):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for filler in (first, second):  # nobody accepts them, so there is no room for a third
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        with pytest.raises(UpstreamBroken) as error:
            await hasty.request("POST", f"http://127.0.0.1:{full.getsockname()[1]}/", HEADERS, b"{}")
    assert error.value.reason == "connect_failed"


async def test_silence_before_the_answer_is_a_timeout(server, hasty):
    server.says()
    with pytest.raises(UpstreamBroken) as error:
        await hasty.request("POST", server.url, HEADERS, b"{}")
    assert error.value.reason == "timeout"


async def test_silence_in_mid_answer_is_a_timeout_and_what_came_before_is_handed_on(server, hasty):
    server.says(CHUNKED + chunk(b"data"))
    assert await broken(await hasty.request("POST", server.url, HEADERS, b"{}")) == (b"data", "timeout")
    with pytest.raises(UpstreamBroken) as error:
        await (await hasty.request("POST", server.url, HEADERS, b"{}")).read()
    assert error.value.reason == "timeout"


async def test_what_broke_never_tells_a_key(server, client):
    server.says(b"garbage\r\n\r\n")
    with pytest.raises(UpstreamBroken) as error:
        await client.request("POST", server.url, b"x-api-key: sk-secret-one\r\n", b"{}")
    cause: BaseException | None = error.value
    while cause:
        assert "sk-secret-one" not in str(cause)
        cause = cause.__cause__


async def test_what_is_not_compressed_as_it_says_is_broken(server, client):
    server.says(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 15\r\n\r\nnot gzip at all")
    with pytest.raises(UpstreamBroken) as error:
        await (await client.request("POST", server.url, HEADERS, b"{}")).read()
    assert error.value.reason in {"malformed_response", "reset"}  # which one, the clients do not agree on


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nx-key: a\0b\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * (70 << 10) + b"\r\n\r\n",
        b"HTTP/3.7 200 OK\r\n\r\n",
    ],
    ids=["two lengths", "NUL", "a large head", "another version"],
)
async def test_a_head_that_breaks_the_grammar_is_malformed(server, client, said):
    server.says(said)
    with pytest.raises(UpstreamBroken) as error:
        await client.request("POST", server.url, HEADERS, b"{}")
    assert error.value.reason == "malformed_response"


@pytest.mark.parametrize("coding", [b"", b"content-encoding: identity\r\n"])
async def test_a_whole_body_that_does_not_end_is_malformed_once_it_is_too_large(server, client, coding):
    async def endless(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n%b\r\n" % coding)
        while True:
            writer.write(bytes(1 << 20))
            await writer.drain()

    server.answer = endless
    answer = await client.request("POST", server.url, HEADERS, b"{}")
    with pytest.raises(UpstreamBroken) as error:
        await asyncio.wait_for(answer.read(), 30)
    assert error.value.reason == "malformed_response"
    await asyncio.wait_for(server.left.wait(), 1)


async def test_a_whole_body_may_be_as_large_as_is_said(server, client):
    server.says(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % MAX_BODY, bytes(MAX_BODY))
    assert len(await (await client.request("POST", server.url, HEADERS, b"{}")).read()) == MAX_BODY


async def test_what_broke_says_whether_the_request_had_left(server, hasty):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(UpstreamBroken) as error:
            await hasty.request("POST", f"http://127.0.0.1:{taken.getsockname()[1]}/", HEADERS, b"{}")
        assert not error.value.is_sent
    for said in (b"", b"garbage\r\n\r\n"):
        server.says(said)
        with pytest.raises(UpstreamBroken) as error:
            await hasty.request("POST", server.url, HEADERS, b"{}")
        assert error.value.is_sent
