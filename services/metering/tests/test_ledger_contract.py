"""What every ledger does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tollway_dialects.usage import Usage
from tollway_metering.domain.calls import Attempt, BookedCall, Call, CallStatus, Charge
from tollway_metering.domain.month import month_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_metering.domain.batch import PricedCalls
    from tollway_metering.domain.ports import Ledger

    Priced = Callable[..., PricedCalls]

FEBRUARY, MARCH = (month_of(day * 86_400_000)[0] for day in (40, 70))


def row(number: int = 1, *, booked: int = 0, cost: int = 10, **fields: Any) -> BookedCall:
    values: dict[str, Any] = {
        "workspace": "default",
        "status": CallStatus.SUCCEEDED,
        "usage": Usage(1, 2, 3, 4, 5, 1),
        "started_unix_ms": number,
    }
    call = Call(call_id=f"{number:032x}", **(values | fields))
    return BookedCall(call, Charge(cost), tuple(Charge(7) for _ in call.attempts), booked)


def full_row() -> BookedCall:
    attempts = (
        Attempt(1, "anthropic", "m", "0a1b2c3d", 529, "refused", "overloaded", Usage(output=3), 5, 6),
        Attempt(2, "openrouter", "x/m", "", 200, "succeeded", "", Usage(1, 2, 3, 4, 5, 6, is_estimated=True), 7, 8),
    )
    call = Call(
        call_id="f" * 32,
        workspace="default",
        status=CallStatus.CANCELLED,
        started_unix_ms=1,
        duration_ms=2,
        time_to_first_byte_ms=3,
        dialect="openai_chat",
        is_streamed=True,
        requested_model="auto",
        model="m",
        provider="openrouter",
        tier="fast",
        classifier="heuristic",
        cache="none",
        http_status=499,
        reason="client_left",
        usage=Usage(1, 2, 3, 4, 5, 6, is_estimated=True),
        saved_micro_usd=9,
        prompt="concise-assistant@2",
        attempts=attempts,
    )
    return BookedCall(call, Charge(123), (Charge(1), Charge(0, is_unpriced=True)), 4)


async def test_a_row_comes_back_as_it_was_booked(ledger: Ledger, priced: Priced) -> None:
    booked = full_row()
    assert list(await ledger.book(priced(booked))) == [0]
    assert await ledger.latest("default", 10) == [booked]


@pytest.mark.parametrize("cost", [10, 11])
@pytest.mark.parametrize("output", [5, 6])
@pytest.mark.parametrize("counts", [(), (0,), (0, 2)])
async def test_a_lone_attempt_comes_back_whether_or_not_it_used_what_its_call_did(
    ledger: Ledger, priced: Priced, output: int, cost: int, counts: tuple[int, ...]
) -> None:
    attempt = Attempt(1, "p", "m", "ab", 200, "succeeded", "", Usage(1, 2, 3, 4, output, 1), 8, 9)
    call = row(1, attempts=(attempt,)).call
    booked = BookedCall(call, Charge(10), (Charge(cost),), 0)
    others = [row(number, attempts=(attempt,) * count) for number, count in enumerate(counts, 2)]
    await ledger.book(priced(booked, *others))
    assert await ledger.latest("default", 10) == [*others[::-1], booked]


async def test_the_same_call_is_booked_once_and_its_first_row_stays(ledger: Ledger, priced: Priced) -> None:
    first = full_row()
    other = BookedCall(first.call, Charge(999), first.attempt_charges, 999)
    attempted = row(2, booked=999, attempts=(Attempt(1, "a"),))
    again = row(2, booked=999, cost=11, attempts=(Attempt(1, "b"), Attempt(2, "c")))
    await ledger.book(priced(first))
    assert await ledger.book(priced(other, attempted, again, row(3, booked=999))) == [1, 3]
    assert await ledger.latest("default", 10) == [row(3, booked=999), attempted, first]
    assert await ledger.month_tokens("default", 0) == first.call.usage.total + 2 * row().call.usage.total


@pytest.mark.parametrize("count", [1, 7, 8, 9, 100])
async def test_a_batch_of_any_size_is_booked_in_order(ledger: Ledger, priced: Priced, count: int) -> None:
    rows = [row(number, attempts=(Attempt(1), Attempt(2))[: number % 3]) for number in range(count)]
    assert list(await ledger.book(priced(*rows))) == list(range(count))
    assert await ledger.latest("default", 1000) == rows[::-1]


async def test_concurrent_bookings_of_a_call_make_one_row(ledger: Ledger, priced: Priced) -> None:
    booked = await asyncio.gather(*(ledger.book(priced(row(number % 5))) for number in range(50)))
    assert sum(map(len, booked)) == 5


async def test_rows_are_listed_newest_first_within_the_limit(ledger: Ledger, priced: Priced) -> None:
    await ledger.book(priced(row(2), row(3), row(1), row(5, started_unix_ms=3)))
    listed = await ledger.latest("default", 3)
    assert [int(item.call.call_id, 16) for item in listed] == [5, 3, 2]


async def test_attempts_stay_with_their_call(ledger: Ledger, priced: Priced) -> None:
    rows = [row(number, attempts=(Attempt(1, f"p{number}"), Attempt(2, f"q{number}"))) for number in (1, 2, 3)]
    await ledger.book(priced(*rows))
    assert await ledger.latest("default", 2) == [rows[2], rows[1]]


async def test_sums_count_each_call_by_how_it_ended(ledger: Ledger, priced: Priced) -> None:
    await ledger.book(
        priced(
            row(1),
            row(2, status=CallStatus.FAILED, usage=Usage(), cost=0),
            row(3, status=CallStatus.CANCELLED, usage=Usage(output=7, is_estimated=True)),
            row(4, cache="exact", usage=Usage(1000, output=1000), cost=0, saved_micro_usd=55),
        )
    )
    sums = await ledger.sums_since("default", 0)
    assert (sums.calls, sums.failed_calls, sums.cancelled_calls, sums.cache_hits) == (4, 1, 1, 1)
    assert (sums.cost_micro_usd, sums.saved_micro_usd) == (20, 55)
    assert sums.usage == Usage(1, 2, 3, 4, 12, 1, is_estimated=True)


async def test_sums_begin_at_the_moment_asked_for(ledger: Ledger, priced: Priced) -> None:
    await ledger.book(priced(row(1), row(2), row(3)))
    assert [(await ledger.sums_since("default", moment)).calls for moment in (0, 2, 4)] == [3, 2, 0]


async def test_a_workspace_never_sees_the_rows_of_another(ledger: Ledger, priced: Priced) -> None:
    await ledger.book(priced(row(1, workspace="other")))
    assert await ledger.latest("default", 10) == []
    assert (await ledger.sums_since("default", 0)).calls == 0
    assert await ledger.month_tokens("default", 0) == 0


async def test_a_month_sums_the_tokens_of_calls_booked_in_it_without_cache_hits(ledger: Ledger, priced: Priced) -> None:
    ends = FEBRUARY - 1
    await ledger.book(priced(row(1, booked=ends)))
    await ledger.book(priced(row(2, booked=FEBRUARY), row(3, booked=FEBRUARY, cache="semantic")))
    await ledger.book(priced(row(4, booked=FEBRUARY + 1), row(5, booked=FEBRUARY + 1, workspace="other")))
    tokens = row().call.usage.total
    assert [await ledger.month_tokens("default", begin) for begin in (0, FEBRUARY, MARCH)] == [tokens, 2 * tokens, 0]
    assert await ledger.month_tokens("other", FEBRUARY) == tokens


@pytest.mark.parametrize("text", ["", "'; DROP TABLE calls; --", "snowman ☃", "nul \x00 inside"])
async def test_any_text_is_data(ledger: Ledger, priced: Priced, text: str) -> None:
    booked = row(1, workspace=text, requested_model=text)
    await ledger.book(priced(booked))
    assert await ledger.latest(text, 1) == [booked]
