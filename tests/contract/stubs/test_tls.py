"""mTLS between services: who gets in, what is said of those who do not, and what becomes of replaced files."""

from __future__ import annotations

import asyncio
import gc
import logging
import ssl
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from contract.stubs.authority import Authority
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.channel import open_channel
from tollway_servicekit.errors import InternalError, Unavailable
from tollway_servicekit.link import peers as peers_module
from tollway_servicekit.link.peers import open_links
from tollway_servicekit.serve import serving
from tollway_servicekit.stubs import link_stub, plain_stub
from tollway_servicekit.tls import Credentials, Tls
from tollway_topologies.addresses import free_address

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tollway_servicekit.contract import Contract

REQUEST = pb.ResolvePromptRequest(name="greeting")


async def echo(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
    return pb.ResolvePromptResponse(name=request.name)


@pytest.fixture
def make_authority(tmp_path: Path) -> Callable[..., Authority]:
    def make(name: str, *names: str) -> Authority:
        folder = tmp_path / name
        folder.mkdir()
        return Authority(folder, *names)

    return make


@pytest.fixture
def stranger(make_authority: Callable[..., Authority]) -> Authority:
    return make_authority("stranger")


async def refused(contract: Contract, address: str, tls: Tls | None, kind: str) -> str:
    """Return what a caller is told."""
    if kind == "link":
        async with open_links(address, tls) as links:
            with pytest.raises(Unavailable) as caught:
                await link_stub(contract, links).ResolvePrompt(REQUEST, timeout=10)
    else:
        async with open_channel(address, Credentials(tls) if tls else None) as channel:
            with pytest.raises(Unavailable) as caught:
                await plain_stub(contract, channel).ResolvePrompt(REQUEST, timeout=10)
    return caught.value.message


@pytest.mark.parametrize("kind", ["plain", "link"])
async def test_a_caller_that_trusts_another_ca_refuses_and_says_why(
    contract: Contract, serve_with: Any, authority: Authority, stranger: Authority, kind: str, caplog: Any
) -> None:
    servicers = [(contract, serve_with(resolve=echo))]
    async with serving(servicers, "127.0.0.1:0", authority.tls, grace=0) as port:
        told = await refused(contract, f"127.0.0.1:{port}", stranger.tls, kind)
    assert "CERTIFICATE_VERIFY_FAILED" in told
    if kind == "link":
        (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert f":{port} with mTLS: " in warning.getMessage()
        assert "CERTIFICATE_VERIFY_FAILED" in warning.getMessage()


@pytest.mark.parametrize("kind", ["plain", "link"])
async def test_a_caller_of_another_ca_is_refused_and_both_sides_say_so(
    contract: Contract, serve_with: Any, authority: Authority, stranger: Authority, kind: str, caplog: Any
) -> None:
    mixed = replace(stranger.tls, authorities=authority.tls.authorities)
    servicers = [(contract, serve_with(resolve=echo))]
    async with serving(servicers, "127.0.0.1:0", authority.tls, grace=0) as port:
        await refused(contract, f"127.0.0.1:{port}", mixed, kind)
    assert "a connection of 127.0.0.1 is refused: CERTIFICATE_VERIFY_FAILED" in caplog.text
    if kind == "link":
        assert "the peer may have refused our certificate" in caplog.text


@pytest.mark.parametrize("kind", ["plain", "link"])
async def test_a_caller_without_tls_is_refused(
    contract: Contract, serve_with: Any, authority: Authority, kind: str
) -> None:
    async with serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", authority.tls, grace=0) as port:
        await refused(contract, f"127.0.0.1:{port}", None, kind)


async def test_a_caller_without_a_certificate_is_refused(
    contract: Contract, serve_with: Any, authority: Authority, caplog: Any
) -> None:
    credentials = grpc.ssl_channel_credentials(authority.tls.authorities.read_bytes())
    async with (
        serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", authority.tls, grace=0) as port,
        grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials) as channel,
    ):
        with pytest.raises(Unavailable):
            await plain_stub(contract, channel).ResolvePrompt(REQUEST, timeout=10)
    assert "a connection of 127.0.0.1 is refused: PEER_DID_NOT_RETURN_A_CERTIFICATE" in caplog.text


async def test_a_connection_that_is_no_link_ends_without_a_trace(
    contract: Contract, serve_with: Any, authority: Authority, caplog: Any
) -> None:
    context = Credentials(authority.tls).of_caller()
    async with (
        serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", authority.tls, grace=0) as port,
        asyncio.timeout(10),
    ):
        before = asyncio.all_tasks()
        for begin, end in product((b"", b"GET / HTTP/1.1\r\n\r\n"), ("close", "abort")):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="127.0.0.1")
            writer.write(begin)
            if begin:
                await reader.read(1)
            getattr(writer.transport, end)()
            while left := asyncio.all_tasks() - before:
                await asyncio.wait(left)
    gc.collect()
    assert caplog.text == ""


@pytest.mark.parametrize("kind", ["plain", "link"])
async def test_a_certificate_for_another_name_is_refused(
    contract: Contract, serve_with: Any, make_authority: Callable[..., Authority], kind: str
) -> None:
    other = make_authority("other", "cache.elsewhere")
    async with serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", other.tls, grace=0) as port:
        await refused(contract, f"127.0.0.1:{port}", other.tls, kind)


async def test_links_check_the_name_that_they_were_given_not_the_address_behind_it(
    contract: Contract, serve_with: Any, make_authority: Callable[..., Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = make_authority("cache", "cache.tollway")
    async with serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", cache.tls, grace=0) as port:

        async def resolve(address: str) -> list[str]:
            return [f"127.0.0.1:{port}"]

        monkeypatch.setattr(peers_module, "resolve", resolve)
        async with open_links(f"cache.tollway:{port}", cache.tls) as links:
            assert await link_stub(contract, links).ResolvePrompt(REQUEST, timeout=5)
        told = await refused(contract, f"metering.tollway:{port}", cache.tls, "link")
        assert "Hostname mismatch" in told


async def test_health_has_a_port_without_tls_where_nothing_else_is_served(
    contract: Contract, serve_with: Any, authority: Authority
) -> None:
    address = free_address()
    tls = replace(authority.tls, health_address=address)
    async with (
        serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", tls, grace=0),
        open_channel(address) as channel,
    ):
        for name in ("", contract.name):
            request = health_pb2.HealthCheckRequest(service=name)
            answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=5)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(InternalError, match="UNIMPLEMENTED"):
            await plain_stub(contract, channel).ResolvePrompt(REQUEST, timeout=5)


async def test_new_connections_see_a_certificate_that_was_replaced(
    contract: Contract, serve_with: Any, make_authority: Callable[..., Authority]
) -> None:
    ours = make_authority("ours")

    async def shown(port: int) -> str:
        return await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))

    async with serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", ours.tls, grace=0) as port:
        before = await shown(port)
        ours.sign()
        after = await shown(port)
        assert after.strip() in ours.tls.certificate.read_text()
        assert after != before


async def test_links_are_replaced_with_their_files_and_no_call_fails(
    contract: Contract, serve_with: Any, make_authority: Callable[..., Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers_module, "RESOLVE_SECONDS", 0.02)
    ours = make_authority("ours")
    async with (
        serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", ours.tls, grace=0) as port,
        open_links(f"127.0.0.1:{port}", ours.tls) as links,
        asyncio.timeout(20),
    ):
        stub = link_stub(contract, links)
        await stub.ResolvePrompt(REQUEST, timeout=5)
        (first,) = links._peers
        ours.sign()
        while links._peers == [first] or links._gone:
            await stub.ResolvePrompt(REQUEST, timeout=5)
            await asyncio.sleep(0.001)
        assert (links.tally.opened, links.tally.breaks) == (2, 0)


async def test_replaced_files_that_cannot_be_used_change_nothing_and_are_logged(
    contract: Contract, serve_with: Any, make_authority: Callable[..., Authority], caplog: Any
) -> None:
    ours = make_authority("ours")
    async with serving([(contract, serve_with(resolve=echo))], "127.0.0.1:0", ours.tls, grace=0) as port:
        credentials = Credentials(ours.tls)
        ours.tls.certificate.write_text("nonsense")
        assert credentials.renew() is False
        assert "the former certificate stays in use: TLS_CERT_FILE" in caplog.text
        async with open_channel(f"127.0.0.1:{port}", credentials) as channel:
            assert await plain_stub(contract, channel).ResolvePrompt(REQUEST, timeout=5)
        caplog.clear()
        assert credentials.renew() is False
        assert caplog.text == "", "told once"
