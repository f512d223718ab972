"""TLS: who is trusted, what is told before, and sessions that are resumed."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from tollway_httpclient import ConnectFailed

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def test_a_certificate_of_the_given_authority_is_trusted(tls_server, make_client, ca_file):
    tls_server.says(OK)
    client = make_client(ca_file=ca_file)
    for _ in range(3):
        assert await (await client.request("POST", tls_server.url, body=b"secret")).read() == b"ok"
    assert tls_server.heads[0].startswith(f"POST / HTTP/1.1\r\nhost: localhost:{tls_server.port}\r\n".encode())
    assert (tls_server.connections, tls_server.bodies) == (1, [b"secret"] * 3)


async def test_a_certificate_of_nobody_we_trust_is_a_failed_connect(tls_server, client):
    with pytest.raises(ConnectFailed, match="CERTIFICATE_VERIFY_FAILED"):
        await client.request("POST", tls_server.url, [("x-api-key", "sk")])
    assert tls_server.heads == []


async def test_a_certificate_for_another_name_is_a_failed_connect(authority, server, make_client, ca_file):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("another.example").configure_cert(context)
    listening = await asyncio.start_server(server.serve, "localhost", 0, ssl=context)
    url = f"https://localhost:{listening.sockets[0].getsockname()[1]}/"
    with pytest.raises(ConnectFailed, match=r"[Hh]ostname mismatch"):
        await make_client(ca_file=ca_file).request("POST", url)
    listening.close()
    assert server.heads == []


async def test_a_server_that_speaks_no_tls_is_a_failed_connect(server, make_client, ca_file):
    server.says(OK)
    with pytest.raises(ConnectFailed):
        await make_client(ca_file=ca_file, connect=0.5).request("POST", f"https://127.0.0.1:{server.port}/")


async def test_the_protocol_and_the_name_are_told_in_the_greeting(authority, make_client, ca_file):
    told = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.sni_callback = lambda tls, name, _: told.append(name)
    authority.issue_cert("localhost").configure_cert(context)

    async def serve(reader, writer):
        told.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)

    listening = await asyncio.start_server(serve, "localhost", 0, ssl=context)
    url = f"https://localhost:{listening.sockets[0].getsockname()[1]}/"
    assert await (await make_client(ca_file=ca_file).request("GET", url)).read() == b"ok"
    listening.close()
    assert told == ["localhost", "http/1.1"]


async def test_a_further_connection_resumes_the_session_of_the_last(tls_server, make_client, ca_file):
    client = make_client(ca_file=ca_file, max_idle=0)  # each call has a connection of its own
    tls_server.says(OK)
    for _ in range(3):
        assert await (await client.request("POST", tls_server.url)).read() == b"ok"
    assert tls_server.resumed == [False, True, True]


async def test_no_session_is_carried_to_another_client(tls_server, make_client, ca_file):
    tls_server.says(OK)
    for _ in range(2):
        assert await (await make_client(ca_file=ca_file).request("POST", tls_server.url)).read() == b"ok"
    assert tls_server.resumed == [False, False]


async def test_large_bodies_pass_both_ways(tls_server, make_client, ca_file):
    size = 8 << 20
    body = bytes(range(256)) * (size // 256)

    async def answer(peer):
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size, peer.body)

    tls_server.answer = answer
    response = await make_client(ca_file=ca_file).request("POST", tls_server.url, body=body)
    seen = bytearray()
    async for piece in response.pieces():
        seen += piece
        await asyncio.sleep(0)
    assert seen == body


async def test_closing_an_answer_early_closes_its_connection_at_once(tls_server, make_client, ca_file):
    async def answer(peer):
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx")
        await peer.gone()

    tls_server.answer = answer
    response = await make_client(ca_file=ca_file).request("POST", tls_server.url)
    assert await response.piece() == b"x"
    response.close()
    await asyncio.wait_for(tls_server.left.wait(), 0.2)


async def test_an_authority_file_that_is_none_is_told_when_the_client_is_made(make_client, tmp_path):
    with pytest.raises(OSError, match="No such file"):
        make_client(ca_file=str(tmp_path / "absent.pem"))
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(OSError, match=r"(?i)certificate|ssl|pem"):
        make_client(ca_file=str(tmp_path / "empty.pem"))
