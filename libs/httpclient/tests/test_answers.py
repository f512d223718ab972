"""What an answer may look like, where its body ends, and which connections carry another."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest
from tollway_httpclient import HttpClientError, Reset
from tollway_httpclient.testing import read_whole

H = b"HTTP/1.1 200 OK\r\n"
CHUNKED = H + b"transfer-encoding: chunked\r\n\r\n"
OK = H + b"content-length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (OK, b"ok"),
        (CHUNKED + b'2\r\nab\r\n3;x=y;z="q"\r\ncde\r\n0\r\n\r\n', b"abcde"),
        (CHUNKED + b"00A\r\n0123456789\r\n0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n", b"0123456789"),
        (H + b"content-length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", b""),
        (b"HTTP/1.1 200\r\ncontent-length: 1\r\n\r\nx", b"x"),
        (b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\nx", b"x"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK, b"ok"),
        (H + b"upgrade: h2c\r\nconnection: upgrade\r\ncontent-length: 1\r\n\r\nx", b"x"),
    ],
)
async def test_an_answer_ends_where_its_framing_says_and_its_connection_is_kept(server, client, said, body):
    server.says(said)
    for _ in range(2):
        assert await read_whole(await client.request("POST", server.url)) == (body, None)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (H + b"\r\nall\r\nthere is", b"all\r\nthere is"),
        (H + b"connection: keep-alive\r\n\r\n", b""),
        (b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
    ],
)
async def test_an_answer_without_framing_ends_with_the_connection(server, client, said, body):
    server.says_and_closes(said)
    for _ in range(2):
        assert await read_whole(await client.request("POST", server.url)) == (body, None)
    assert server.connections == 2


async def test_an_answer_without_framing_that_ends_in_a_reset_is_not_read_whole(server, client):
    seen = asyncio.Event()

    async def answer(peer):
        await peer.say(H + b"\r\npart")
        await seen.wait()
        no_linger = struct.pack("ii", 1, 0)  # the system then sends a reset
        peer.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
        peer.writer.transport.abort()

    server.answer = answer
    response = await client.request("POST", server.url)
    assert await response.piece() == b"part"
    seen.set()
    assert await read_whole(response) == (b"", Reset)


@pytest.mark.parametrize(
    "said",
    [
        H + b"connection: close\r\ncontent-length: 2\r\n\r\nok",
        H + b"Connection: Keep-Alive, Close\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        OK + b"x",
        OK + OK,
        OK + b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nsmuggled!",
        CHUNKED + b"2\r\nok\r\n0\r\n\r\nHTTP/1.1",
    ],
)
async def test_a_connection_that_the_server_ends_or_says_too_much_on_is_not_used_again(server, client, said):
    server.says(said)
    for number in (1, 2):
        assert await read_whole(await client.request("POST", server.url)) == (b"ok", None)
        assert server.connections == number


async def test_bytes_that_come_while_nobody_asked_close_the_connection(server, client):
    more = asyncio.Event()

    async def answer(peer):
        await peer.say(OK)
        await more.wait()
        await peer.say(OK)
        await peer.gone()

    server.answer = answer
    assert await read_whole(await client.request("POST", server.url)) == (b"ok", None)
    more.set()
    await asyncio.wait_for(server.left.wait(), 1)
    server.says(OK)
    assert await read_whole(await client.request("POST", server.url)) == (b"ok", None)
    assert server.connections == 2


async def test_an_answer_to_head_has_no_body_whatever_it_announces(server, client):
    server.says(H + b"content-length: 5\r\n\r\n")
    response = await client.request("HEAD", server.url)
    assert (response.headers, await response.read()) == ([("content-length", "5")], b"")
    server.says(CHUNKED + b"2\r\nno\r\n0\r\n\r\n")
    response = await client.request("HEAD", server.url)
    assert (response.status, await response.read()) == (200, b"")
    server.says(OK)
    assert await read_whole(await client.request("GET", server.url)) == (b"ok", None)


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (CHUNKED + b"4\r\nda", b"da"),
        (CHUNKED + b"4\r\ndata\r\n", b"data"),
        (CHUNKED + b"4\r\ndata\r\n0\r\n", b"data"),
        (CHUNKED, b""),
        (H + b"content-length: 5\r\n\r\ndata", b"data"),
        (H + b"content-length: 5\r\n\r\n", b""),
    ],
)
async def test_a_cut_answer_is_a_reset_after_all_that_came(server, client, said, body):
    server.says_and_closes(said)
    assert await read_whole(await client.request("POST", server.url)) == (body, Reset)
    late = await client.request("POST", server.url)
    await asyncio.wait_for(server.left.wait(), 1)
    await asyncio.sleep(0.01)  # until the client has seen the end
    assert await read_whole(late) == (body, Reset)
    with pytest.raises(Reset):
        await (await client.request("POST", server.url)).read()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 2", H + b"content-le", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_an_end_before_the_head_is_whole_is_a_reset(server, client, said):
    server.says_and_closes(said)
    with pytest.raises(Reset) as error:
        await client.request("POST", server.url)
    assert (len(server.heads), error.value.is_sent) == (1, True)


async def test_an_end_while_the_request_is_being_sent_is_a_reset_that_says_so(server, client):
    server.reads_bodies = False
    server.says_and_closes()
    with pytest.raises(Reset) as error:
        await client.request("POST", server.url, body=bytes(32 << 20))
    assert not error.value.is_sent


async def test_headers_are_told_in_order_with_lower_names_and_trimmed_latin_1_values(server, client):
    server.says(
        H + b"X-B:  two words \t\r\nx-a:\r\nSet-Cookie: a=b\r\nset-cookie: \xe9\xa0\r\nContent-Length: 0\r\n\r\n"
    )
    response = await client.request("POST", server.url)
    assert response.headers == [
        ("x-b", "two words"),
        ("x-a", ""),
        ("set-cookie", "a=b"),
        ("set-cookie", "\xe9\xa0"),
        ("content-length", "0"),
    ]


async def test_headers_are_handed_on_as_lines_without_those_of_the_connection_and_those_left_out(server, make_client):
    client = make_client(left_out=["server"])
    server.says(
        H + b"Server: s\r\nX-B:  two \r\nx-a: 1\r\nConnection: keep-alive, X-C\r\nX-C: 1\r\nKeep-Alive: timeout=9\r\n"
        b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"
    )
    response = await client.request("POST", server.url)
    assert response.lines == b"x-b: two\r\nx-a: 1\r\n"
    assert response.told == [
        (b"connection", b"keep-alive, X-C"),
        (b"keep-alive", b"timeout=9"),
        (b"content-encoding", b"gzip"),
    ]
    assert len(response.headers) == 8


async def test_a_compressed_body_is_left_as_it_came(server, client):
    server.says(H + b"content-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f\x8b\x08")
    response = await client.request("POST", server.url)
    assert ("content-encoding", "gzip") in response.headers
    assert await response.read() == b"\x1f\x8b\x08"


async def test_what_arrived_together_is_one_piece_and_what_came_apart_is_not(server, client):
    more = asyncio.Event()

    async def answer(peer):
        await peer.say(CHUNKED + b"1\r\na\r\n" * 50)
        await more.wait()
        await peer.say(b"1\r\nb\r\n" * 50 + b"0\r\n\r\n")

    server.answer = answer
    response = await client.request("POST", server.url)
    assert await response.piece() == b"a" * 50
    more.set()
    assert [piece async for piece in response.pieces()] == [b"b" * 50]
    assert await response.piece() == b""


async def test_what_waited_for_its_reader_is_one_piece_too(server, client):
    server.says(CHUNKED, b"1\r\na\r\n", b"1\r\nb\r\n", b"0\r\n\r\n")
    response = await client.request("POST", server.url)
    while response._connection is not None:  # noqa: ASYNC110 - an answer's end is told to its reader alone
        await asyncio.sleep(0)
    assert [piece async for piece in response.pieces()] == [b"ab"]


async def test_a_body_is_at_hand_once_it_is_whole_and_is_given_once(server, client):
    more = asyncio.Event()

    async def answer(peer):
        await peer.say(H + b"content-length: 4\r\n\r\nha")
        await more.wait()
        await peer.say(b"lf")

    server.answer = answer
    response = await client.request("POST", server.url)
    assert response.at_hand() is None
    more.set()
    while not response.has_ended:  # noqa: ASYNC110 - an answer's end is told to its reader alone
        await asyncio.sleep(0)
    assert (response.at_hand(), response.at_hand()) == (b"half", b"")


async def test_a_body_that_broke_off_or_is_too_large_is_never_at_hand(server, make_client):
    client = make_client(max_body=3)
    for said in (b"content-length: 4\r\n\r\npar", b"content-length: 4\r\n\r\nfour"):
        server.says_and_closes(H + said)
        response = await client.request("POST", server.url)
        while not response.has_ended:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        assert response.at_hand() is None
        with pytest.raises(HttpClientError):
            await response.read()
