"""A clock that tests move, ledgers of both kinds, and the servicer behind each kind of stub."""

from __future__ import annotations

import hashlib
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tollway.chat.v1 import chat_pb2
from tollway.metering.v1 import metering_pb2
from tollway_metering.adapters.memory_ledger import MemoryLedger
from tollway_metering.adapters.sqlite_ledger import open_ledger
from tollway_metering.bootstrap import bootstrap
from tollway_metering.entrypoints.servicer import CONTRACT
from tollway_metering.settings import Settings
from tollway_servicekit.testing import STUB_KINDS, stub_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tollway_metering.domain.ports import Ledger


class FakeClock:
    """Stands at noon of 21 November 2026 until a test moves it."""

    def __init__(self) -> None:
        self.set(2026, 11, 21, 12)

    def set(self, *moment: int) -> None:
        self.unix_ms = int(datetime(*moment, tzinfo=UTC).timestamp()) * 1000  # type: ignore[misc, arg-type]

    def now_unix_ms(self) -> int:
        return self.unix_ms


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sqlite", "memory"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    async with open_ledger(tmp_path / "state" / "ledger.sqlite3") as opened:
        yield opened


@pytest.fixture
def key() -> str:
    return "tw_0123456789abcdefghij"


@pytest.fixture
def settings(tmp_path: Path, key: str) -> Settings:
    return Settings(hashlib.sha256(key.encode()).digest(), tmp_path / "ledger.sqlite3")


@pytest.fixture(params=STUB_KINDS)
def serve(request: pytest.FixtureRequest, clock: FakeClock) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """Return a function that yields a stub of a servicer with the given settings."""

    @asynccontextmanager
    async def open_stub(settings: Settings) -> AsyncIterator[Any]:
        async with (
            bootstrap(settings, clock=clock) as servicer,
            stub_of(request.param, CONTRACT, servicer) as stub,
        ):
            yield stub

    return open_stub


@pytest.fixture
def record(clock: FakeClock) -> Callable[..., metering_pb2.CallRecord]:
    """Return a function that makes the record of a call: 1000 tokens in, 200 out."""

    def make(number: int = 1, **fields: Any) -> metering_pb2.CallRecord:
        values: dict[str, Any] = {
            "call_id": f"{number:032x}",
            "workspace": "default",
            "status": metering_pb2.CALL_STATUS_SUCCEEDED,
            "started_unix_ms": clock.unix_ms,
            "dialect": chat_pb2.DIALECT_ANTHROPIC_MESSAGES,
            "model": "claude-haiku-4-5-20251001",
            "provider": "anthropic",
            "cache": "none",
            "http_status": 200,
            "usage": chat_pb2.Usage(uncached_input_tokens=1000, output_tokens=200),
        }
        return metering_pb2.CallRecord(**(values | fields))

    return make
