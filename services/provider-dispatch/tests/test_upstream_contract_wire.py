"""What every HTTP client towards providers must cope with on the wire: TLS, proxies, rare framing, large bodies."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import zlib
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from tollway_provider_dispatch.adapters.providers.anthropic import ANTHROPIC
from tollway_provider_dispatch.adapters.whole_body import joined
from tollway_provider_dispatch.bootstrap import client_for
from tollway_provider_dispatch.domain.ports import UpstreamBroken
from tollway_provider_dispatch.domain.provider import Provider
from tollway_provider_dispatch.settings import DispatchConfig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tollway_provider_dispatch.domain.ports import UpstreamClient

HEADERS = b"content-type: application/json\r\nx-api-key: sk\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.fixture(params=["httptools", "aiohttp"])
def configured(request: pytest.FixtureRequest) -> Any:
    """A client as the service makes it for a provider at a URL."""

    @asynccontextmanager
    async def configured(url: str, **config: Any) -> AsyncIterator[UpstreamClient]:
        client = client_for(Provider(ANTHROPIC, url, ()), DispatchConfig(http_client=request.param, **config))
        yield client
        await client.aclose()

    return configured


@pytest.fixture
async def tls(server: Any, tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """A TLS port of the server, on localhost: its URL, and the file of the authority that signed for it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    listening = await asyncio.start_server(server.serve, "localhost", 0, ssl=context)
    yield f"https://localhost:{listening.sockets[0].getsockname()[1]}", str(tmp_path / "ca.pem")
    listening.close()


async def test_a_certificate_of_the_configured_authority_is_trusted(server, tls, configured):
    url, ca_file = tls
    server.says(OK)
    async with configured(url, ca_file=ca_file) as client:
        for _ in range(2):
            assert await (await client.request("POST", f"{url}/v1", HEADERS, b"{}")).read() == b"{}"
    assert server.connections == 1


async def test_a_certificate_of_nobody_we_trust_is_a_failed_connect_and_no_key_is_sent(server, tls, configured):
    async with configured(tls[0]) as client:
        with pytest.raises(UpstreamBroken) as error:
            await client.request("POST", tls[0], HEADERS, b"{}")
    assert (error.value.reason, server.requests) == ("connect_failed", [])


@pytest.fixture
async def tunnel() -> AsyncIterator[tuple[int, list[bytes]]]:
    """A proxy that opens tunnels: its port, and the heads that it was sent."""
    asked: list[bytes] = []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        host, _, port = asked[-1].split(b" ")[1].decode().rpartition(":")
        there = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(carry(reader, there[1]), carry(there[0], writer))

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield listening.sockets[0].getsockname()[1], asked
    listening.close()


async def test_https_goes_through_the_proxy_of_the_environment(server, tls, tunnel, configured, monkeypatch):
    url, ca_file = tls
    port, asked = tunnel
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:pass@127.0.0.1:{port}")
    server.says(OK)
    async with configured(url, ca_file=ca_file) as client:
        assert await (await client.request("POST", url, HEADERS, b"{}")).read() == b"{}"
    assert asked[0].startswith(b"CONNECT localhost:%d HTTP/1.1\r\n" % int(url.rpartition(":")[2]))
    assert b"proxy-authorization: basic dxnlcjpwyxnz" in asked[0].lower()
    assert b"sk" not in asked[0].lower()


async def test_a_proxy_that_opens_no_tunnel_is_a_failed_connect(tls, configured, monkeypatch):
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    proxy = await asyncio.start_server(refuse, "127.0.0.1", 0)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
    async with configured(tls[0]) as client:
        with pytest.raises(UpstreamBroken) as error:
            await client.request("POST", tls[0], HEADERS, b"{}")
    assert (error.value.reason, error.value.is_sent) == ("connect_failed", False)
    proxy.close()


async def test_http_goes_to_the_proxy_of_the_environment_unless_it_is_excepted(server, configured, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server.says(OK)
    for url in ("http://api.example.com", server.url):
        async with configured(url) as client:
            await (await client.request("POST", f"{url}/v1?a=b", HEADERS, b"{}")).read()
    assert [request.line for request in server.requests] == [
        "POST http://api.example.com/v1?a=b HTTP/1.1",
        "POST /v1?a=b HTTP/1.1",
    ]


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK,
        CHUNKED + b'2;a=b;c="d"\r\n{}\r\n0\r\n\r\n',
        CHUNKED + b"1\r\n{\r\n1\r\n}\r\n0\r\nx-sum: 1\r\n\r\n",
    ],
    ids=["100", "103", "extensions", "trailers"],
)
async def test_rare_framing_is_read(server, client, said):
    server.says(said)
    for _ in range(2):
        answer = await client.request("POST", server.url, HEADERS, b"{}")
        assert (answer.status, answer.header_lines, await answer.read()) == (200, b"", b"{}")
    assert server.connections == 1


async def test_an_answer_without_framing_ends_with_its_connection(server, client):
    async def answer(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall there is")
        writer.close()

    server.answer = answer
    for _ in range(2):
        assert await (await client.request("POST", server.url, HEADERS, b"{}")).read() == b"all there is"


async def test_a_body_of_20_mb_passes_both_ways_to_a_slow_reader(server, client):
    body = bytes(range(256)) * (20 << 12)
    written = 0

    async def answer(_, writer):
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body))
        for begin in range(0, len(body), 1 << 18):
            writer.write(body[begin : begin + (1 << 18)])
            await writer.drain()
            written += 1 << 18

    server.answer = answer
    answered = await client.request("POST", server.url, HEADERS, body)
    before = -1
    while before != written:
        before = written
        await asyncio.sleep(0.1)
    assert written < len(body), "nobody reads, and yet the server could write it all"
    seen = bytearray()
    while piece := await answered.piece():
        seen += piece
        await asyncio.sleep(0)
    assert seen == body == server.requests[0].body


async def test_cancelling_a_reader_closes_its_connection_at_once(server, client):
    async def answer(reader, writer):
        writer.write(CHUNKED + b"1\r\nx\r\n")
        begun.set()
        assert await reader.read(1) == b""
        raise ConnectionError

    begun = asyncio.Event()
    server.answer = answer

    async def read():
        answer = await client.request("POST", server.url, HEADERS, b"{}")
        try:
            await answer.read()
        finally:
            answer.close()

    reading = asyncio.create_task(read())
    await begun.wait()
    await asyncio.sleep(0.02)  # until it has the head
    reading.cancel()
    await asyncio.wait_for(server.left.wait(), 0.2)
    with pytest.raises(asyncio.CancelledError):
        await reading


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", bare_deflate)]
)
async def test_a_compressed_answer_is_decoded_wherever_it_is_cut(server, client, coding, pack):
    text = b"data: hello\n\n" * 500
    packed = pack(text)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: %b\r\ncontent-length: %d\r\n\r\n" % (coding.encode(), len(packed))
    server.says(head, *(packed[at : at + 7] for at in range(0, len(packed), 7)))
    answer = await client.request("POST", server.url, HEADERS, b"{}")
    assert await joined(answer) == text
    assert await (await client.request("POST", server.url, HEADERS, b"{}")).read() == text


async def test_compressed_events_are_handed_on_as_they_come(server, client):
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    seen = asyncio.Event()

    async def answer(_, writer):
        begin = packer.compress(b"data: one\n\n") + packer.flush(zlib.Z_SYNC_FLUSH)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(b"%x\r\n%b\r\n" % (len(begin), begin))
        await seen.wait()
        end = packer.compress(b"data: two\n\n") + packer.flush()
        writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(end), end))

    server.answer = answer
    answered = await client.request("POST", server.url, HEADERS, b"{}")
    assert await asyncio.wait_for(answered.piece(), 2) == b"data: one\n\n"
    seen.set()
    assert [await answered.piece(), await answered.piece()] == [b"data: two\n\n", b""]
