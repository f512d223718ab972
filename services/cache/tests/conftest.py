"""A real Redis of the tests' own, and the values that they store."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tollway_cache.domain.answer import Answer, Entry
from tollway_dialects.dialect import Dialect
from tollway_dialects.usage import Usage
from tollway_servicekit.redis_process import RedisProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator


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
def answer() -> Callable[..., Answer]:
    return _answer


@pytest.fixture
def entry() -> Callable[..., Entry]:
    def make(partition: str = "acme", number: int = 1, ttl_seconds: int = 60, **fields: object) -> Entry:
        return Entry(_answer(partition, number, **fields), ttl_seconds)

    return make


def _key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _answer(partition: str = "acme", number: int = 1, **fields: object) -> Answer:
    usual = {
        "dialect": Dialect.ANTHROPIC_MESSAGES,
        "provider": "anthropic",
        "model": "claude-haiku-5-5",
        "tier": "simple",
        "usage": Usage(uncached_input=1, cache_write_short=2, cache_write_long=3, cache_read=4, output=5, reasoning=6),
        "cost_micro_usd": 42,
        "body": b'{"text":"hello"}',
    }
    return Answer(partition=partition, exact_key=_key(number), **{**usual, **fields})
