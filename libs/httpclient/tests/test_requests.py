"""What leaves: the head, the body, and what is refused before anything leaves."""

from __future__ import annotations

import asyncio

import pytest
from tollway_httpclient import InvalidRequest
from tollway_httpclient import target as target_module

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def test_a_request_is_sent_as_given_with_host_and_length_and_nothing_else(server, client):
    server.says(OK)
    response = await client.request("POST", f"{server.url}/a%20b?c=%2F+d", [("X-Key", "v \xe9"), ("x", "")], b"body")
    assert (response.status, response.headers, await response.read()) == (200, [("content-length", "2")], b"ok")
    lines = f"POST /a%20b?c=%2F+d HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\nX-Key: v \xe9\r\nx: \r\n"
    assert server.heads == [f"{lines}content-length: 4\r\n\r\n".encode("latin-1")]
    assert server.bodies == [b"body"]


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("GET", b"", None), ("GET", b"x", 1), ("POST", b"", 0), ("DELETE", b"", None), ("PUT", b"", 0)],
)
async def test_a_length_is_told_where_a_body_is_or_could_be(server, client, method, body, length):
    server.says(OK)
    await (await client.request(method, server.url, body=body)).read()
    told = b"" if length is None else b"content-length: %d\r\n" % length
    assert server.heads == [f"{method} / HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\n".encode() + told + b"\r\n"]


@pytest.mark.parametrize("size", [1, 64 << 10, (64 << 10) + 1, 20 << 20])
async def test_a_body_of_any_size_arrives_whole(server, client, size):
    server.says(OK)
    body = bytes(range(256)) * (size // 256 + 1)
    assert await (await client.request("POST", server.url, body=body[:size])).read() == b"ok"
    assert server.bodies == [body[:size]]


async def test_a_server_that_takes_a_large_body_slowly_is_waited_for(server, make_client):
    server.reads_bodies = False
    taken = 0

    async def answer(peer):
        nonlocal taken
        while taken < 8 << 20:
            taken += len(await peer.reader.read(1 << 18))
            await asyncio.sleep(0.002)
        await peer.say(OK)

    server.answer = answer
    client = make_client(stall=0.5)
    assert await (await client.request("POST", server.url, body=bytes(8 << 20))).read() == b"ok"
    assert taken == 8 << 20


async def test_an_answer_that_comes_before_the_body_was_taken_ends_the_sending(server, client):
    server.reads_bodies = False

    async def answer(peer):
        await peer.say(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        while await peer.reader.read(1 << 16):
            pass
        peer.writer.close()

    server.answer = answer
    response = await asyncio.wait_for(client.request("POST", server.url, body=bytes(20 << 20)), 5)
    assert (response.status, await response.read()) == (413, b"big")
    await asyncio.wait_for(server.left.wait(), 1)
    server.reads_bodies = True
    server.says(OK)
    assert await (await client.request("POST", server.url)).read() == b"ok"
    assert server.connections == 2


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\n", "\r", "a\0b", "\x01", "\x7f", "€"])
async def test_a_value_that_could_be_another_line_is_refused(server, client, value):
    with pytest.raises(InvalidRequest) as error:
        await client.request("POST", server.url, [("ok", "yes"), ("x-key", value)])
    assert value not in str(error.value)
    assert server.connections == 0


@pytest.mark.parametrize(
    "name", ["", "a b", "a:", "a\r\nb", "\xe9", "host", "Content-Length", "transfer-encoding", "TE"]
)
async def test_a_name_that_is_no_token_or_frames_the_message_is_refused(server, client, name):
    for _ in range(2):
        with pytest.raises(InvalidRequest):
            await client.request("POST", server.url, [(name, "x")])
    assert server.connections == 0


@pytest.mark.parametrize("method", ["", "GE T", "GET\r\n", "CONNECT", "\xe9"])
async def test_a_method_that_is_none_is_refused(server, client, method):
    with pytest.raises(InvalidRequest):
        await client.request(method, server.url)
    assert server.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        *("", "/path", "ftp://h/", "http://", "http:///x", "http://u:p@h/", "http://h:x/", "http://h:99999/"),
        *("http://[::1/", "http://a b/", "http://b\xfccher.example/", "http://h\r\nx/", "http://a,b/", "http://[]/"),
    ],
)
async def test_an_address_that_is_none_is_refused_and_not_repeated(client, url):
    with pytest.raises(InvalidRequest) as error:
        await client.request("GET", url)
    assert "u:p" not in str(error.value)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("", "/"),
        ("?a=b", "/?a=b"),
        ("/a?b#c", "/a?b"),
        ("/a b\x7f\xe9?\x01", "/a%20b%7F%C3%A9?%01"),
        ("/%2e%2E//x;y=[z]|", "/%2e%2E//x;y=[z]|"),
        ("/?next=http://127.0.0.1/", "/?next=http://127.0.0.1/"),
    ],
)
async def test_a_target_is_sent_as_given_save_for_what_may_not_stand_in_one(server, client, path, sent):
    server.says(OK)
    await (await client.request("GET", server.url + path)).read()
    assert server.heads[0].split(b"\r\n")[0] == f"GET {sent} HTTP/1.1".encode()


@pytest.mark.parametrize("end", ["\r", "\n", "\t", "\r\nx: y"])
async def test_a_line_cannot_be_ended_from_inside_an_address(server, client, end):
    server.says(OK)
    await (await client.request("GET", f"{server.url}/a{end}b")).read()
    head, *others = server.heads
    assert others == []
    assert head.count(b"\r\n") == 3
    assert b"\r\nx:" not in head


async def test_lines_that_repeat_are_checked_once_however_many_others_came_before(server, client, monkeypatch):
    server.says(OK)
    known: set[bytes] = set()
    monkeypatch.setattr(target_module, "_sendable", known)
    monkeypatch.setattr(target_module, "_MAX_KNOWN", 4)
    for number in range(9):
        await (await client.request("POST", server.url, b"idempotency-key: %d\r\n" % number)).read()
        assert len(known) <= 4
    await (await client.request("POST", server.url, b"x-key: sk\r\n")).read()
    assert b"x-key: sk\r\n" in known
