"""One port for links and for every other gRPC: who serves which connection, and that each holds up nobody else."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.channel import open_channel
from tollway_servicekit.errors import Unavailable
from tollway_servicekit.link.http2 import wire
from tollway_servicekit.link.peers import open_links
from tollway_servicekit.port import listener
from tollway_servicekit.serve import serving
from tollway_servicekit.stubs import link_stub, plain_stub, responses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tollway_servicekit.contract import Contract

REQUEST = pb.ResolvePromptRequest(name="greeting")


async def sized(request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
    """Answer with as many characters as the name says or has."""
    size = int(request.name) if request.name.isdigit() else len(request.name)
    return pb.ResolvePromptResponse(text="x" * size)


@asynccontextmanager
async def hello(port: int, begin: bytes) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Yield a connection that has said what it begins with."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begin)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def test_bytes_that_are_no_http2_are_left_to_grpc_and_the_port_serves_on(
    contract: Contract, serve_with: Any
) -> None:
    async with (
        serving([(contract, serve_with(resolve=sized))], "127.0.0.1:0", grace=0) as port,
        asyncio.timeout(20),
    ):
        for begin in (b"GET / HTTP/1.1\r\n\r\n", wire.PREFACE + bytes(100), b"\x16\x03\x01 tls", b"PRI * HTTP/2.0"):
            async with hello(port, begin) as (reader, writer):
                writer.write_eof()
                await reader.read()
        async with open_links(f"127.0.0.1:{port}") as links:
            await link_stub(contract, links).ResolvePrompt(REQUEST, timeout=5)


async def test_a_connection_that_says_nothing_is_closed(
    contract: Contract, serve_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "FIRST_BYTES_SECONDS", 0.05)
    async with (
        serving([(contract, serve_with(resolve=sized))], "127.0.0.1:0", grace=0) as port,
        asyncio.timeout(5),
    ):
        for begin in (b"", wire.PREFACE, wire.PREFACE + b"\0"):
            async with hello(port, begin) as (reader, _):
                with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                    await reader.readexactly(1)


async def test_a_link_that_begins_byte_by_byte_is_one(contract: Contract, serve_with: Any) -> None:
    begin = wire.PREFACE + wire.settings_frame({wire.LINK_MARK: 1})
    async with (
        serving([(contract, serve_with(resolve=sized))], "127.0.0.1:0", grace=0) as port,
        asyncio.timeout(20),
        hello(port, b"") as (reader, writer),
    ):
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in begin:
            writer.write(bytes((byte,)))
            await asyncio.sleep(0)
        writer.write(wire.whole_frame(wire.PING, 0, 0, b"are you?"))
        assert b"are you?" in await reader.readuntil(b"are you?")


async def test_a_plain_reader_that_stops_holds_up_its_producer_and_nobody_else(
    contract: Contract, serve_with: Any
) -> None:
    made = 0

    async def watch(request: Any, context: Any) -> AsyncIterator[pb.WatchPromptsResponse]:
        nonlocal made
        while True:
            made += 1
            yield pb.WatchPromptsResponse(versions=[pb.PromptVersion(template="x" * 100_000)])

    async with (
        serving([(contract, serve_with(resolve=sized, watch=watch))], "127.0.0.1:0", grace=0) as port,
        open_channel(f"127.0.0.1:{port}") as slow,
        open_channel(f"127.0.0.1:{port}") as other,
        asyncio.timeout(30),
    ):
        async with responses(plain_stub(contract, slow).WatchPrompts(pb.WatchPromptsRequest(), timeout=60)) as items:
            await anext(items)
            before = -1
            while before != made:
                before = made
                for _ in range(20):
                    await plain_stub(contract, other).ResolvePrompt(REQUEST, timeout=5)
            assert made < 100, "what nobody reads is made and kept"
            for _ in range(2 * before):
                await anext(items)


async def test_large_bodies_pass_the_splice_both_ways_at_once(contract: Contract, serve_with: Any) -> None:
    async with (
        serving([(contract, serve_with(resolve=sized))], "127.0.0.1:0", grace=0) as port,
        open_channel(f"127.0.0.1:{port}") as channel,
    ):
        stub = plain_stub(contract, channel)
        requests = [pb.ResolvePromptRequest(name="x" * 3_000_000)] * 4 + [pb.ResolvePromptRequest(name="3000000")] * 4
        answers = await asyncio.gather(*(stub.ResolvePrompt(request, timeout=20) for request in requests))
        assert [len(answer.text) for answer in answers] == [3_000_000] * 8


async def test_a_caller_that_vanishes_ends_its_plain_calls(contract: Contract, serve_with: Any) -> None:
    entered, left = asyncio.Event(), asyncio.Event()

    async def held(request: Any, context: Any) -> pb.ResolvePromptResponse:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        raise AssertionError("nobody sets the event")

    async with serving([(contract, serve_with(resolve=held))], "127.0.0.1:0", grace=0) as port, asyncio.timeout(10):
        async with open_channel(f"127.0.0.1:{port}") as channel:
            call = asyncio.ensure_future(plain_stub(contract, channel).ResolvePrompt(REQUEST, timeout=60))
            await entered.wait()
        await left.wait()
        with pytest.raises((Unavailable, asyncio.CancelledError)):
            await call


async def test_idle_connections_do_not_hold_up_the_stop(contract: Contract, serve_with: Any) -> None:
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        async with serving([(contract, serve_with(resolve=sized))], "127.0.0.1:0", grace=20) as port:
            await stack.enter_async_context(hello(port, b""))
            begin = wire.PREFACE + wire.settings_frame({wire.LINK_MARK: 1})
            reader, _ = await stack.enter_async_context(hello(port, begin))
            await reader.readexactly(9)
            started = loop.time()
        assert loop.time() - started < 5


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
async def test_what_is_written_on_a_connection_leaves_at_once(host: str, tmp_path: Path) -> None:
    accepted = asyncio.get_running_loop().create_future()

    class Accepted(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            option = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            accepted.set_result(option)
            transport.close()

    begin = wire.PREFACE + wire.settings_frame({wire.LINK_MARK: 1})
    async with asyncio.timeout(5), listener.listening(f"{host}:0", Accepted, tmp_path, None) as port:
        async with hello(port.number, begin):
            assert await accepted


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]"])
async def test_a_wildcard_is_reached_by_either_family(contract: Contract, serve_with: Any, host: str) -> None:
    async with serving([(contract, serve_with(resolve=sized))], f"{host}:0", grace=0) as port:
        for address in ("127.0.0.1", "[::1]") if socket.has_dualstack_ipv6() else ("127.0.0.1",):
            async with open_links(f"{address}:{port}") as links, open_channel(f"{address}:{port}") as channel:
                await link_stub(contract, links).ResolvePrompt(REQUEST, timeout=5)
                await plain_stub(contract, channel).ResolvePrompt(REQUEST, timeout=5)


async def test_a_unix_socket_serves_links_and_plain_calls_and_is_taken_again_after_a_kill(
    contract: Contract, serve_with: Any, tmp_path: Path
) -> None:
    address = f"unix:{tmp_path}/s"
    left_behind = socket.socket(socket.AF_UNIX)
    left_behind.bind(f"{tmp_path}/s")
    left_behind.close()
    async with serving([(contract, serve_with(resolve=sized))], address, grace=0):
        async with open_links(address) as links, open_channel(address) as channel:
            await link_stub(contract, links).ResolvePrompt(REQUEST, timeout=5)
            await plain_stub(contract, channel).ResolvePrompt(REQUEST, timeout=5)


async def test_without_a_folder_for_its_socket_a_service_does_not_start(
    contract: Contract, serve_with: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    caplog.set_level(logging.ERROR)
    with pytest.raises(OSError, match="a folder for temporary files is needed"):
        async with serving([(contract, serve_with(resolve=sized))], "127.0.0.1:0"):
            pass
