"""A clock that tests move, ledgers of both kinds, and the servicer behind each kind of stub."""

from __future__ import annotations

import hashlib
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tollway.chat.v1 import chat_pb2
from tollway.metering.v1 import metering_pb2
from tollway_dialects.usage import Usage
from tollway_metering.adapters.memory_ledger import MemoryLedger
from tollway_metering.adapters.sqlite_ledger import open_ledger
from tollway_metering.bootstrap import bootstrap
from tollway_metering.domain.batch import (
    AttemptColumns,
    AttemptKind,
    CallColumns,
    CallKind,
    ChargeColumns,
    PricedCalls,
    UsageColumns,
)
from tollway_metering.domain.charges import count_tokens
from tollway_metering.entrypoints.servicer import CONTRACT
from tollway_metering.settings import Settings
from tollway_servicekit.testing import STUB_KINDS, stub_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tollway_metering.domain.calls import BookedCall, Charge
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


def to_usage_columns(usages: Sequence[chat_pb2.Usage]) -> metering_pb2.UsageColumns:
    names = [field.name for field in chat_pb2.Usage.DESCRIPTOR.fields]
    return metering_pb2.UsageColumns(**{name: [getattr(usage, name) for usage in usages] for name in names})


def kind_of(kind: type[Any], message: Any) -> Any:
    return kind(**{field.name: getattr(message, field.name) for field in kind.DESCRIPTOR.fields})


@pytest.fixture
def settle() -> Callable[..., metering_pb2.SettleCallsRequest]:
    """Return a function that makes a request of records, each of a kind of its own."""

    def make(*records: metering_pb2.CallRecord) -> metering_pb2.SettleCallsRequest:
        attempts = [attempt for record in records for attempt in record.attempts]
        columns = metering_pb2.CallColumns(
            call_ids=[bytes.fromhex(record.call_id) for record in records],
            kinds=[kind_of(metering_pb2.CallKind, record) for record in records],
            kind_indexes=range(len(records)),
            started_unix_ms=[record.started_unix_ms for record in records],
            duration_ms=[record.duration_ms for record in records],
            time_to_first_byte_ms=[record.time_to_first_byte_ms for record in records],
            usage=to_usage_columns([record.usage for record in records]),
            saved_micro_usd=[record.saved_micro_usd for record in records],
            attempt_counts=[len(record.attempts) for record in records],
            attempts=metering_pb2.AttemptColumns(
                kinds=[kind_of(metering_pb2.AttemptKind, attempt) for attempt in attempts],
                kind_indexes=range(len(attempts)),
                started_unix_ms=[attempt.started_unix_ms for attempt in attempts],
                duration_ms=[attempt.duration_ms for attempt in attempts],
                usage=to_usage_columns([attempt.usage for attempt in attempts]),
            ),
        )
        return metering_pb2.SettleCallsRequest(columns=columns)

    return make


def to_priced(rows: Sequence[BookedCall]) -> PricedCalls:
    """Return rows as a ledger books them, each of a kind of its own; they must have been booked together."""
    calls = [row.call for row in rows]
    attempts = [attempt for call in calls for attempt in call.attempts]
    (booked_unix_ms,) = {row.booked_unix_ms for row in rows}
    columns = CallColumns(
        call_ids=[call.call_id for call in calls],
        kinds=[kind_of_row(CallKind, call) for call in calls],
        kind_indexes=list(range(len(calls))),
        started_unix_ms=[call.started_unix_ms for call in calls],
        duration_ms=[call.duration_ms for call in calls],
        time_to_first_byte_ms=[call.time_to_first_byte_ms for call in calls],
        usage=usage_columns([call.usage for call in calls]),
        saved_micro_usd=[call.saved_micro_usd for call in calls],
        attempt_counts=[len(call.attempts) for call in calls],
        attempts=AttemptColumns(
            kinds=[kind_of_row(AttemptKind, attempt) for attempt in attempts],
            kind_indexes=list(range(len(attempts))),
            started_unix_ms=[attempt.started_unix_ms for attempt in attempts],
            duration_ms=[attempt.duration_ms for attempt in attempts],
            usage=usage_columns([attempt.usage for attempt in attempts]),
        ),
    )
    charges = [row.charge for row in rows]
    attempt_charges = [charge for row in rows for charge in row.attempt_charges]
    tokens = count_tokens(columns, range(len(columns)))
    return PricedCalls(columns, charge_columns(charges), charge_columns(attempt_charges), booked_unix_ms, tokens)


def kind_of_row(kind: type[Any], row: Any) -> Any:
    return kind(**{name: getattr(row, name) for name in kind.__struct_fields__})


def usage_columns(usages: Sequence[Usage]) -> UsageColumns:
    return UsageColumns(*([getattr(usage, name) for usage in usages] for name in Usage.__struct_fields__))


def charge_columns(charges: Sequence[Charge]) -> ChargeColumns:
    return ChargeColumns([charge.micro_usd for charge in charges], [charge.is_unpriced for charge in charges])


@pytest.fixture
def priced() -> Callable[..., PricedCalls]:
    """Return a function that makes what a ledger books of rows."""
    return lambda *rows: to_priced(rows)


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
