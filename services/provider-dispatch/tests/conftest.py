"""Upstreams to dispatch to: the real simulator, and a server that says exactly the bytes a test gives it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import tollway_simulator.bootstrap
import tollway_simulator.settings
import uvloop
from tollway_provider_dispatch.adapters.aiohttp_upstream import AiohttpUpstream
from tollway_provider_dispatch.adapters.httptools_upstream import HttptoolsUpstream
from tollway_provider_dispatch.adapters.memory_accounts import MemoryAccounts
from tollway_provider_dispatch.adapters.memory_cooldowns import MemoryCooldowns
from tollway_provider_dispatch.adapters.system_clock import SystemClock
from tollway_provider_dispatch.bootstrap import chain_of
from tollway_provider_dispatch.domain.cooldowns import CooldownLimits, Cooldowns
from tollway_provider_dispatch.domain.dispatch import Dispatcher
from tollway_provider_dispatch.domain.ports import UpstreamClient
from tollway_provider_dispatch.domain.route import Chain
from tollway_provider_dispatch.domain.trying.attempts import AttemptLimits
from tollway_provider_dispatch.domain.trying.tries import Trying
from tollway_provider_dispatch.settings import ProviderSettings, Settings
from tollway_servicekit.redis_process import RedisProcess, running_redis


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Test on the loop that the service runs on."""
    return {"uvloop": uvloop.new_event_loop}


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Request:
    """What a client sent: the request line, headers with their names as sent, and the body."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class ScriptedServer:
    """Takes requests and lets the test write the answer to each."""

    port: int = 0
    answer: Answer | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """A client closed its connection."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def says(self, *pieces: bytes) -> None:
        """Answer every request with these bytes, each in a packet of its own."""

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)

        self.answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while not writer.is_closing():
                self.requests.append(await self._request(reader))
                assert self.answer
                await self.answer(reader, writer)
        self.left.set()
        writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> Request:
        line, *fields = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        headers = [(name, value) for name, _, value in (each.partition(": ") for each in fields)]
        length = next(int(value) for name, value in headers if name.lower() == "content-length")
        return Request(line, headers, await reader.readexactly(length))


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer()
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(scripted.serve(reader, writer)))

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    scripted.port = listening.sockets[0].getsockname()[1]
    yield scripted
    listening.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks)


# each takes connect_timeout and read_timeout, and has aclose()
CLIENTS: dict[str, Callable[[float, float], Any]] = {"httptools": HttptoolsUpstream, "aiohttp": AiohttpUpstream}


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS)
def client_kind(request: pytest.FixtureRequest) -> Callable[[float, float], Any]:
    return request.param


@pytest.fixture
async def client(client_kind: Callable[[float, float], Any]) -> AsyncIterator[UpstreamClient]:
    client = client_kind(5.0, 10.0)
    yield client
    await client.aclose()


@pytest.fixture
async def hasty(client_kind: Callable[[float, float], Any]) -> AsyncIterator[UpstreamClient]:
    client = client_kind(0.1, 0.1)
    yield client
    await client.aclose()


@dataclass
class Simulator:
    """The simulator, with its control API."""

    url: str
    http: aiohttp.ClientSession

    async def log(self) -> list[dict[str, Any]]:
        return await self._get("log")

    async def wait(self, **query: int) -> dict[str, Any]:
        return await self._get("log/wait", **query)

    async def _get(self, path: str, **query: int) -> Any:
        async with self.http.get(f"{self.url}/_simulator/{path}", params=query) as response:
            assert response.status == 200, await response.text()
            return await response.json()


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    settings = tollway_simulator.settings.Settings(listen="127.0.0.1:0")
    async with tollway_simulator.bootstrap.bootstrap(settings) as port, aiohttp.ClientSession() as http:
        yield Simulator(f"http://127.0.0.1:{port}", http)


@pytest.fixture
def settings_for() -> Callable[..., Settings]:
    """Settings in which both providers live at the given URL."""

    def make(url: str, *keys: str, **more: Any) -> Settings:
        keys = keys or ("sk-secret-one",)
        providers = {"anthropic": ProviderSettings(keys, url), "openai": ProviderSettings(keys, f"{url}/v1")}
        return Settings(listen="127.0.0.1:0", providers=providers, **more)

    return make


class HastyClock(SystemClock):
    """Does not wait between tries, and tells how long it should have."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def hasty_clock() -> type[HastyClock]:
    return HastyClock


@pytest.fixture
def dispatching(settings_for: Callable[..., Settings], client_kind: Callable[..., Any]) -> Callable[..., Any]:
    """A dispatcher whose providers live at the given URL."""

    @asynccontextmanager
    async def dispatching(
        url: str, *keys: str, read_timeout: float = 10.0, limits: AttemptLimits | None = None
    ) -> AsyncIterator[Dispatcher]:
        providers = chain_of(settings_for(url, *keys))
        client = client_kind(5.0, read_timeout)
        clients = {each.name: client for each in providers}
        clock = HastyClock()
        cooldowns = Cooldowns(MemoryCooldowns(clock.now), clock, CooldownLimits())
        trying = Trying(limits or AttemptLimits(), clock, cooldowns, random.random)
        yield Dispatcher(Chain(providers, {}), clients, MemoryAccounts(), trying)
        await client.aclose()

    return dispatching


@pytest.fixture
def redis_process() -> Iterator[RedisProcess]:
    if not RedisProcess.is_installed():
        pytest.skip("redis-server is not installed; install it (apt-get install redis-server) to test against it")
    with running_redis() as process:
        yield process


@pytest.fixture
def redis_url(redis_process: RedisProcess) -> str:
    return redis_process.url


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
