"""A cap is a cap."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tollway_metering.domain.budget import RESERVATION_LIFETIME_MS, MonthlyBudget
from tollway_servicekit.errors import Exhausted


def budget(clock: Any, booked: int = 0) -> MonthlyBudget:
    return MonthlyBudget("default", clock.unix_ms, booked)


def test_a_call_that_just_fits_is_let_in_and_the_next_token_is_not(clock: Any) -> None:
    tokens = budget(clock, booked=400)
    tokens.reserve("a", 600, 1000, clock.unix_ms)
    with pytest.raises(Exhausted):
        tokens.reserve("b", 1, 1000, clock.unix_ms)


def test_the_refusal_names_everything_that_a_client_must_know(clock: Any) -> None:
    tokens = budget(clock, booked=900)
    tokens.reserve("a", 50, 1000, clock.unix_ms)
    with pytest.raises(Exhausted) as refusal:
        tokens.reserve("b", 101, 1000, clock.unix_ms)
    assert refusal.value.reason == "QUOTA_EXCEEDED"
    assert refusal.value.metadata == {
        "workspace": "default",
        "cap": "1000",
        "used": "900",
        "reserved": "50",
        "period_end": "2026-12-01T00:00:00Z",
        "retryable": "false",
    }
    for fact in ("default", "1000", "900", "50", "101", "2026-12-01T00:00:00Z", "max_tokens"):
        assert fact in refusal.value.message


def test_a_refusal_by_calls_in_flight_alone_is_retryable(clock: Any) -> None:
    tokens = budget(clock, booked=900)
    tokens.reserve("a", 50, 1000, clock.unix_ms)
    with pytest.raises(Exhausted) as refusal:
        tokens.reserve("b", 100, 1000, clock.unix_ms)
    assert refusal.value.metadata["retryable"] == "true"
    tokens.release("a")
    tokens.reserve("b", 100, 1000, clock.unix_ms)


def test_a_second_reservation_of_a_call_replaces_its_first(clock: Any) -> None:
    tokens = budget(clock)
    tokens.reserve("a", 600, 1000, clock.unix_ms)
    tokens.reserve("a", 900, 1000, clock.unix_ms)
    tokens.reserve("b", 100, 1000, clock.unix_ms)
    with pytest.raises(Exhausted):
        tokens.reserve("a", 901, 1000, clock.unix_ms)
    tokens.release("a")
    tokens.reserve("c", 900, 1000, clock.unix_ms)


def test_a_reservation_that_nobody_settles_expires(clock: Any) -> None:
    tokens = budget(clock)
    tokens.reserve("a", 1000, 1000, clock.unix_ms)
    with pytest.raises(Exhausted):
        tokens.reserve("b", 1, 1000, clock.unix_ms + RESERVATION_LIFETIME_MS - 1)
    tokens.reserve("b", 1000, 1000, clock.unix_ms + RESERVATION_LIFETIME_MS)


def test_a_new_month_begins_at_zero_but_keeps_what_is_in_flight(clock: Any) -> None:
    clock.set(2026, 12, 31, 23, 59)
    tokens = budget(clock, booked=900)
    tokens.reserve("a", 100, 1000, clock.unix_ms)
    clock.set(2027, 1, 1)
    assert tokens.booked(clock.unix_ms) == 0
    with pytest.raises(Exhausted) as refusal:
        tokens.reserve("b", 901, 1000, clock.unix_ms)
    assert refusal.value.metadata["period_end"] == "2027-02-01T00:00:00Z"
    tokens.reserve("b", 900, 1000, clock.unix_ms)


def test_what_was_booked_before_the_month_ended_counts_in_that_month(clock: Any) -> None:
    tokens = budget(clock)
    before = clock.unix_ms
    clock.set(2026, 12, 1)
    assert tokens.booked(clock.unix_ms) == 0
    tokens.add(50, before)
    assert tokens.booked(clock.unix_ms) == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 700), st.integers(0, 400_000)), max_size=60))
def test_booked_and_reserved_never_exceed_the_cap(clock: Any, steps: list[tuple[int, int, int]]) -> None:
    clock.set(2026, 11, 30, 23)
    tokens, cap = budget(clock), 1000
    held: dict[str, tuple[int, int]] = {}
    for call, amount, pause in steps:
        clock.unix_ms += pause
        name = str(call)
        if name in held and amount % 2:
            reserved, _ = held.pop(name)
            tokens.add(reserved, clock.unix_ms)
            tokens.release(name)
        else:
            with suppress(Exhausted):
                tokens.reserve(name, amount, cap, clock.unix_ms)
                held[name] = (amount, clock.unix_ms + RESERVATION_LIFETIME_MS)
        held = {key: value for key, value in held.items() if value[1] > clock.unix_ms}
        assert tokens.booked(clock.unix_ms) + sum(reserved for reserved, _ in held.values()) <= cap
