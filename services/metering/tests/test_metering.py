"""Reserve and settle together: concurrency, callers that leave, ledgers that fail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tollway_dialects.usage import Usage
from tollway_metering.adapters.memory_ledger import MemoryLedger
from tollway_metering.domain.calls import BookedCall, Call, CallStatus, Charge
from tollway_metering.domain.metering import Metering
from tollway_metering.domain.workspaces import Workspace, WorkspaceDirectory
from tollway_pricing import PriceTable, load_prices
from tollway_servicekit.errors import Exhausted, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_metering.domain.batch import CallColumns, PricedCalls
    from tollway_metering.domain.ports import Ledger

    Calls = Callable[..., CallColumns]


class GatedLedger(MemoryLedger):
    """Books when the test opens its gate."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.entered = asyncio.Event()

    async def book(self, priced: PricedCalls) -> list[int]:
        self.entered.set()
        await self.gate.wait()
        return await super().book(priced)


class BrokenLedger(MemoryLedger):
    """Cannot book."""

    async def book(self, priced: PricedCalls) -> list[int]:
        raise Unavailable("LEDGER_UNAVAILABLE", "the disk is full")


async def metering(ledger: Ledger, clock: Any, cap: int = 1000) -> Metering:
    directory = WorkspaceDirectory()
    directory.publish([Workspace("default", (), cap)])
    built = Metering(ledger, clock, PriceTable(load_prices()), directory)
    await built.load("default")
    return built


@pytest.fixture
def calls(priced: Callable[..., PricedCalls]) -> Calls:
    """Return a function that makes columns of calls by name, each with its tokens."""

    def make(workspace: str = "default", **tokens: int) -> CallColumns:
        rows = [
            Call(name, workspace, CallStatus.SUCCEEDED, usage=Usage(output=count)) for name, count in tokens.items()
        ]
        return priced(*(BookedCall(row, Charge(0), (), 0) for row in rows)).calls

    return make


async def test_a_hundred_concurrent_calls_never_overshoot_the_cap(ledger: Ledger, clock: Any, calls: Calls) -> None:
    built = await metering(ledger, clock)

    async def one(number: int) -> int:
        try:
            built.reserve(str(number), "default", 30)
        except Exhausted:
            return 0
        await built.settle(calls(**{str(number): 30}))
        return 30

    bought = sum(await asyncio.gather(*(one(number) for number in range(100))))
    assert bought == built.month_tokens("default")[1] <= 1000
    assert built.reserve("last", "default", 1000 - bought) == 1000 - bought


async def test_a_reservation_holds_until_its_booking_is_in_the_ledger(clock: Any, calls: Calls) -> None:
    ledger = GatedLedger()
    built = await metering(ledger, clock)
    built.reserve("a", "default", 1000)
    settling = asyncio.create_task(built.settle(calls(a=400)))
    await ledger.entered.wait()
    with pytest.raises(Exhausted):
        built.reserve("b", "default", 1)
    ledger.gate.set()
    assert await settling == 1
    assert built.reserve("b", "default", 600) == 600


async def test_a_caller_that_leaves_in_the_middle_of_a_booking_changes_nothing(clock: Any, calls: Calls) -> None:
    ledger = GatedLedger()
    built = await metering(ledger, clock)
    built.reserve("a", "default", 1000)
    settling = asyncio.create_task(built.settle(calls(a=400)))
    await ledger.entered.wait()
    settling.cancel()
    ledger.gate.set()
    await built.finish()
    assert built.month_tokens("default") == (1000, 400)
    assert built.reserve("b", "default", 600) == 600


async def test_a_booking_that_fails_keeps_its_reservation(clock: Any, calls: Calls) -> None:
    built = await metering(BrokenLedger(), clock)
    built.reserve("a", "default", 1000)
    with pytest.raises(Unavailable):
        await built.settle(calls(a=400))
    with pytest.raises(Exhausted):
        built.reserve("b", "default", 1)


async def test_a_restart_goes_on_with_the_month_of_the_ledger(ledger: Ledger, clock: Any, calls: Calls) -> None:
    clock.set(2026, 10, 31, 23)
    await (await metering(ledger, clock)).settle(calls(october=500))
    clock.set(2026, 11, 1)
    await (await metering(ledger, clock)).settle(calls(november=300))
    again = await metering(ledger, clock)
    assert again.month_tokens("default") == (1000, 300)
    assert again.reserve("a", "default", 700) == 700


async def test_without_a_cap_nothing_is_reserved(clock: Any) -> None:
    built = await metering(MemoryLedger(), clock, cap=0)
    assert built.reserve("a", "default", 10**12) == 0


async def test_a_call_that_was_never_reserved_is_booked_too(clock: Any, calls: Calls) -> None:
    built = await metering(MemoryLedger(), clock)
    assert await built.settle(calls(a=5000)) == await built.settle(calls("gone", b=1)) == 1
    with pytest.raises(Exhausted):
        built.reserve("c", "default", 1)
