"""What is refused of an answer: what breaks the grammar, and what goes beyond the limits."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from tollway_httpclient import MalformedResponse
from tollway_httpclient.testing import read_whole

H = b"HTTP/1.1 200 OK\r\n"
CHUNKED = H + b"transfer-encoding: chunked\r\n\r\n"
OK = H + b"content-length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/3.7 200 OK\r\n\r\n",
        b"RTSP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"ICE/1.0 200 OK\r\nset-cookie: a\r\nH: b\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
        b"POST / HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nbytes",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\ncontent-length: 2\r\n\r\n" + OK,
        b"HTTP/1.1 103 Early Hints\r\ntransfer-encoding: chunked\r\n\r\n" + OK,
        H + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        H + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        H + b"content-length: 2\r\ncontent-length: 3\r\n\r\nokk",
        H + b"content-length: 2\r\ncontent-length: 2\r\n\r\nok",
        H + b"content-length: 2, 2\r\n\r\nok",
        H + b"content-length: +2\r\n\r\nok",
        H + b"content-length: 0x2\r\n\r\nok",
        H + b"content-length: \r\n\r\n",
        H + b"content-length: 99999999999999999999\r\n\r\n",
        H + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        H + b"transfer-encoding: chunked, gzip\r\n\r\n",
        H + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        H + b"transfer-encoding: identity\r\n\r\n",
        H + b"x: a\0b\r\n\r\n",
        H + b"x: a\rb\r\n\r\n",
        H + b"x: a\nb: c\r\n\r\n",
        H + b"x: a\r\n b\r\n\r\n",
        H + b" x: a\r\n\r\n",
        H + b"x : a\r\n\r\n",
        H + b": a\r\n\r\n",
        H + b"x\r\n\r\n",
        H + b"x: \x01\r\n\r\n",
    ],
)
async def test_a_head_that_breaks_the_grammar_is_malformed_and_its_connection_closed(server, client, said):
    async def answer(peer):
        await peer.say(said)
        await peer.gone()

    server.answer = answer
    with pytest.raises(MalformedResponse):
        await client.request("POST", server.url)
    await asyncio.wait_for(server.left.wait(), 1)


@pytest.mark.parametrize(
    "rest",
    [
        *(b"z\r\n", b"-1\r\n", b"2\r\nokok\r\n", b"2\nok\r\n", b"2 \r\nok\r\n", b"fffffffffffffffff\r\n", b"\r\n"),
        *(b"0\r\ncontent-length: 2\r\n\r\n", b"0\r\nx : y\r\n\r\n", b"2;\0\r\nok"),
    ],
)
async def test_chunks_that_break_the_grammar_are_malformed_after_what_came_before(server, client, rest):
    server.says(CHUNKED + b"3\r\nabc\r\n" + rest)
    body, why = await read_whole(await client.request("POST", server.url))
    assert (body[:3], why) == (b"abc", MalformedResponse)
    assert body in {b"abc", b"abcok"}
    with pytest.raises(MalformedResponse):
        await (await client.request("POST", server.url)).read()


@pytest.mark.parametrize(
    "said",
    [
        (H + b"x: " + b"a" * (70 << 10),),
        (H + b"x: " + b"a" * (70 << 10) + b"\r\ncontent-length: 0\r\n\r\n",),
        (H + b"x: y\r\n" * 257 + b"content-length: 0\r\n\r\n",),
        (H + (b"x: " + b"a" * 1000 + b"\r\n") * 80 + b"content-length: 0\r\n\r\n",),
        (H, *[b"x: " + b"a" * 1000 + b"\r\n"] * 80),
        (b"HTTP/1.1 200 " + b"O" * (70 << 10),),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 4000,),
    ],
)
async def test_a_head_beyond_the_limits_is_malformed(server, client, said):
    server.says(*said)
    with pytest.raises(MalformedResponse, match=r"more than \d+"):
        await asyncio.wait_for(client.request("POST", server.url), 5)


async def test_a_head_within_the_limits_is_read(server, client):
    lines = b"".join(b"x-%d: %s\r\n" % (number, b"a" * 200) for number in range(255))
    server.says(H + lines + b"content-length: 2\r\n\r\nok")
    response = await client.request("POST", server.url)
    assert len(response.headers) == 256
    assert await response.read() == b"ok"


@pytest.mark.parametrize("endless", [b"1;" + b"x" * (400 << 10), b"0\r\n" + b"x: " + b"y" * (400 << 10)])
async def test_an_endless_chunk_extension_or_trailer_is_malformed(server, client, endless):
    server.says(CHUNKED + b"3\r\nabc\r\n", endless)
    assert await asyncio.wait_for(read_whole(await client.request("POST", server.url)), 5) == (
        b"abc",
        MalformedResponse,
    )


async def endless(peer):
    await peer.say(H + b"\r\n")
    with suppress(ConnectionError):
        while True:
            peer.writer.write(bytes(1 << 16))
            await peer.writer.drain()


async def test_a_body_that_does_not_end_is_malformed_once_it_is_too_large_and_its_connection_ends(server, make_client):
    client = make_client(max_body=1 << 20)
    server.answer = endless
    response = await client.request("POST", server.url)
    with pytest.raises(MalformedResponse, match="more than 1048576 bytes"):
        await asyncio.wait_for(response.read(), 5)
    await asyncio.wait_for(server.left.wait(), 1)
    assert sum(map(len, response._parts)) == 0


async def test_a_body_that_became_too_large_before_it_was_read_is_malformed(server, make_client):
    client = make_client(max_body=1 << 10)
    server.answer = endless
    response = await client.request("POST", server.url)
    while response._size <= 1 << 10:  # noqa: ASYNC110 - what has come is told to its reader alone
        await asyncio.sleep(0)
    with pytest.raises(MalformedResponse):
        await asyncio.wait_for(response.read(), 5)
    await asyncio.wait_for(server.left.wait(), 1)


@pytest.mark.parametrize("more", [0, 1])
async def test_a_whole_body_may_have_as_many_bytes_as_is_said_and_no_more(server, make_client, more):
    client = make_client(max_body=1 << 20)
    size = (1 << 20) + more
    server.says(H + b"content-length: %d\r\n\r\n" % size + bytes(size))
    response = await client.request("POST", server.url)
    if more:
        with pytest.raises(MalformedResponse):
            await response.read()
    else:
        assert len(await response.read()) == size


async def test_a_body_that_is_taken_in_pieces_may_have_any_size(server, make_client):
    client = make_client(max_body=1 << 10)
    server.says(H + b"content-length: %d\r\n\r\n" % (4 << 20) + bytes(4 << 20))
    body, why = await read_whole(await client.request("POST", server.url))
    assert (len(body), why) == (4 << 20, None)
