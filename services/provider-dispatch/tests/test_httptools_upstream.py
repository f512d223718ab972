"""What Tollway's own HTTP client does beyond the contract: bounds on what is compressed, strict framing."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from tollway_provider_dispatch.adapters.content_decoder import MAX_DECODED
from tollway_provider_dispatch.adapters.httptools_upstream import HttptoolsUpstream
from tollway_provider_dispatch.domain.ports import UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def client() -> AsyncIterator[HttptoolsUpstream]:
    client = HttptoolsUpstream(5.0, 10.0)
    yield client
    await client.aclose()


def packed(body: bytes, coding: bytes = b"gzip") -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-encoding: %b\r\ncontent-length: %d\r\n\r\n%b" % (coding, len(body), body)


async def test_a_small_body_that_becomes_large_comes_in_bounded_pieces(server, client):
    server.says(packed(gzip.compress(bytes(8 << 20))))
    answer = await client.request("POST", server.url, b"", b"{}")
    sizes = []
    while piece := await answer.piece():
        sizes.append(len(piece))
    assert (sum(sizes), max(sizes)) == (8 << 20, 256 << 10)


async def test_a_body_that_would_become_huge_is_malformed(server, client):
    server.says(packed(gzip.compress(bytes(MAX_DECODED + 1))))
    with pytest.raises(UpstreamBroken) as error:
        await (await client.request("POST", server.url, b"", b"{}")).read()
    assert error.value.reason == "malformed_response"


@pytest.mark.parametrize("coding", [b"br", b"zstd", b"gzip, gzip", b"compress", b""])
async def test_a_coding_that_is_not_known_is_malformed_and_its_connection_closed(server, client, coding):
    server.says(packed(b"x", coding)[:-1])  # it has not come to its end, so it cannot be kept either
    with pytest.raises(UpstreamBroken) as error:
        await client.request("POST", server.url, b"", b"{}")
    assert error.value.reason == "malformed_response"


async def test_a_compressed_body_that_is_cut_inside_is_malformed_after_what_came(server, client):
    server.says(packed(gzip.compress(b"x" * 1000)[:-9]))
    answer = await client.request("POST", server.url, b"", b"{}")
    assert await answer.piece() == b"x" * 1000
    with pytest.raises(UpstreamBroken) as error:
        await answer.piece()
    assert error.value.reason == "malformed_response"


async def test_two_codings_are_malformed(server, client):
    server.says(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-encoding: gzip\r\ncontent-length: 0\r\n\r\n")
    with pytest.raises(UpstreamBroken) as error:
        await client.request("POST", server.url, b"", b"{}")
    assert error.value.reason == "malformed_response"


# named: a gzip header holds the time, and tests with other names than another worker's do not run
@pytest.mark.parametrize("body", [gzip.compress(b"a") + gzip.compress(b"b"), b""], ids=["several", "none"])
async def test_a_body_of_several_members_or_none_is_whole(server, client, body):
    server.says(packed(body))
    assert await (await client.request("POST", server.url, b"", b"{}")).read() == (b"ab" if body else b"")


async def test_identity_is_no_coding(server, client):
    server.says(packed(b"{}", b"Identity"))
    answer = await client.request("POST", server.url, b"", b"{}")
    assert (answer.header_lines, await answer.read()) == (b"", b"{}")


@pytest.mark.parametrize("header", [("x-key", "a\r\nhost: b"), ("a b", "c"), ("content-length", "1"), ("x", "€")])
async def test_a_header_that_would_forge_another_is_not_sent(server, client, header):
    with pytest.raises(UpstreamBroken) as error:
        await client.request("POST", server.url, [header], b"{}")
    assert (error.value.reason, server.connections) == ("connect_failed", 0)


async def test_a_length_beside_chunks_is_malformed(server, client):
    server.says(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
    with pytest.raises(UpstreamBroken) as error:
        await client.request("POST", server.url, b"", b"{}")
    assert error.value.reason == "malformed_response"


async def test_proxies_that_are_none_are_told_as_a_failed_connect(server, client, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "socks5://user:secret@proxy")
    with pytest.raises(UpstreamBroken) as error:
        await client.request("POST", "http://api.example.com/", [], b"{}")
    assert error.value.reason == "connect_failed"
    assert "secret" not in str(error.value)
