"""A real Redis of the tests' own, one that says what a test gives it, and the values that they store."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvloop
from hiredis import Reader
from tollway_cache.adapters.redis_answer_store import RedisAnswerStore
from tollway_cache.domain.answer import Entry
from tollway_dialects.dialect import Dialect
from tollway_dialects.stored_answer import StoredAnswer, pack
from tollway_dialects.usage import Usage
from tollway_servicekit.redis_process import RedisProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    Commands = list[list[bytes]]
    Script = Callable[[asyncio.StreamWriter, Commands], Awaitable[None]]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@pytest.fixture(scope="session")
def redis_folder() -> Iterator[Path]:
    if not RedisProcess.is_installed():
        pytest.skip("redis-server is not installed; install it (apt-get install redis-server) to test against it")
    # a unix socket's path may have 107 characters, fewer than pytest's own folders take
    with tempfile.TemporaryDirectory(prefix="tollway-redis-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def redis_process(redis_folder: Path) -> Iterator[RedisProcess]:
    process = RedisProcess(redis_folder)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def mortal_redis(redis_folder: Path) -> Iterator[RedisProcess]:
    """A Redis of this test alone, which may stop and start it."""
    with tempfile.TemporaryDirectory(dir=redis_folder) as folder:
        process = RedisProcess(Path(folder))
        process.start()
        yield process
        process.stop()


@dataclass
class ScriptedRedis:
    """Greets its clients as Redis does, keeps what they ask, read by read, and lets the test answer that."""

    answer: Script
    url: str = ""
    reads: list[Commands] = field(default_factory=list)
    connections: int = 0
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    was_left: asyncio.Event = field(default_factory=asyncio.Event)
    greetings: dict[bytes, bytes] = field(
        default_factory=lambda: {
            b"HELLO": b"%1\r\n$5\r\nproto\r\n:3\r\n",
            b"CLIENT": b"+OK\r\n",
            b"PUBLISH": b":0\r\n",  # what a store tells others of its answers
        }
    )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        parsed = Reader()
        try:
            while data := await reader.read(2**20):
                parsed.feed(data)
                commands = []
                while command := parsed.gets():
                    commands.append(command)
                if asked := [command for command in commands if not self._greets(command, writer)]:
                    self.reads.append(asked)
                    self.was_asked.set()
                    await self.answer(writer, asked)
        except ConnectionError:
            pass
        finally:
            self.was_left.set()
            writer.close()

    def _greets(self, command: list[bytes], writer: asyncio.StreamWriter) -> bool:
        writer.write(self.greetings.get(command[0], b""))
        return command[0] in self.greetings


@asynccontextmanager
async def _serving(redis: ScriptedRedis) -> AsyncIterator[ScriptedRedis]:
    server = await asyncio.start_server(redis.serve, "127.0.0.1", 0)
    redis.url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield redis
    server.close()
    await server.wait_closed()


@pytest.fixture
async def scripted_redis() -> AsyncIterator[Callable[[Script], Awaitable[ScriptedRedis]]]:
    async with AsyncExitStack() as stack:
        yield lambda answer: stack.enter_async_context(_serving(ScriptedRedis(answer)))


@pytest.fixture
async def open_store() -> AsyncIterator[Callable[..., RedisAnswerStore]]:
    """Makes stores that are closed after the test; a lookup may take as long as on a crowded machine, if not told."""
    stores = []

    def make(url: str, get_seconds: float = 10) -> RedisAnswerStore:
        stores.append(RedisAnswerStore.from_url(url, get_seconds))
        return stores[-1]

    yield make
    for store in stores:
        await store.close()


@pytest.fixture
async def silent_server() -> AsyncIterator[str]:
    """A port that takes connections and never says a word; yields its Redis URL."""
    hangs = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hangs.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    hangs.set()
    server.close()
    await server.wait_closed()


@pytest.fixture
def key() -> Callable[[int], bytes]:
    return _key


@pytest.fixture
def answer() -> Callable[..., StoredAnswer]:
    return _answer


@pytest.fixture
def entry() -> Callable[..., Entry]:
    def make(partition: str = "acme", number: int = 1, ttl_seconds: int = 60, **fields: object) -> Entry:
        return Entry(partition, _key(number), pack(_answer(partition, number, **fields)), ttl_seconds)

    return make


def _key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _answer(partition: str = "acme", number: int = 1, **fields: object) -> StoredAnswer:
    usual = {
        "dialect": Dialect.ANTHROPIC_MESSAGES,
        "provider": "anthropic",
        "model": "claude-haiku-5-5",
        "tier": "simple",
        "usage": Usage(uncached_input=1, cache_write_short=2, cache_write_long=3, cache_read=4, output=5, reasoning=6),
        "cost_micro_usd": 42,
        "body": b'{"text":"hello"}',
    }
    return StoredAnswer(partition=partition, exact_key=_key(number), **{**usual, **fields})
