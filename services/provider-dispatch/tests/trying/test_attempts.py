"""The provider table as decisions: after this fault, whom to ask next, and after how many seconds."""

from __future__ import annotations

from typing import Any

import pytest
from tollway_provider_dispatch.adapters.providers.anthropic import ANTHROPIC
from tollway_provider_dispatch.adapters.providers.openai import OPENAI
from tollway_provider_dispatch.domain.candidate import Candidate, Traits
from tollway_provider_dispatch.domain.provider import Provider, ProviderKey
from tollway_provider_dispatch.domain.trying.attempts import RULES, AttemptLimits, Attempts
from tollway_provider_dispatch.domain.trying.verdict import Fault, Verdict

A = Provider(ANTHROPIC, "", (ProviderKey("one", "k1", 1), ProviderKey("two", "k2", 2)))
O = Provider(OPENAI, "", (ProviderKey("three", "k3", 3),))  # noqa: E741
CONVERSATION = "c"
# the second model of the first provider is larger, the third one smaller
CANDIDATES = (
    Candidate.of(A, "m", Traits(context=200)),
    Candidate.of(A, "large", Traits(context=900)),
    Candidate.of(O, "m", Traits(context=100)),
)
FIRST, SECOND = (key.fingerprint for key in A.keys_for(CONVERSATION.encode))


def attempts(*, candidates: Any = CANDIDATES, is_free: Any = lambda _: True, jitter: float = 0.0, **limits: Any) -> Any:
    return Attempts(candidates, CONVERSATION.encode, AttemptLimits(**limits), is_free, lambda: jitter)


def told(route: Any) -> str:
    return f"{route.candidate} {route.key.fingerprint}" if route else "nobody"


def walk(verdict: Verdict, machine: Any = None, **fault: Any) -> list[tuple[float, str]]:
    """Let every try end the same way; return each next route with the wait before it."""
    machine = machine or attempts()
    steps = [(0.0, told(machine.first()))]
    while following := machine.after(Fault(verdict, "x", **fault), 600.0):
        route, wait = following
        steps.append((wait, told(route)))
    return steps


def again(route: str, *waits: float) -> list[tuple[float, str]]:
    return [(wait, route) for wait in waits]


ONE, TWO = f"anthropic/m {FIRST}", f"anthropic/m {SECOND}"
LARGE, LARGE_TWO, OTHER = f"anthropic/large {FIRST}", f"anthropic/large {SECOND}", "openai/m k3"

TABLE = {
    # backoff, then the next key, until this provider was asked six times
    Verdict.RATE_LIMITED: [*again(ONE, 0, 0.5, 1), *again(TWO, 0, 0.5, 1), *again(OTHER, 0, 0.5, 1)],
    # backoff, then the next candidate: another key of an overloaded provider is no help
    Verdict.OVERLOADED: [*again(ONE, 0, 0.5, 1), *again(LARGE, 0, 0.5, 1), *again(OTHER, 0, 0.5, 1)],
    # four tries, then the next candidate; six at one provider, ten in all
    Verdict.FAILED: [*again(ONE, 0, 0.5, 1, 2), *again(LARGE, 0, 0.5), *again(OTHER, 0, 0.5, 1, 2)],
    Verdict.SILENT: [*again(ONE, 0), *again(LARGE, 0), *again(OTHER, 0)],
    Verdict.NO_CREDIT: [*again(ONE, 0), *again(OTHER, 0)],
    Verdict.BAD_KEY: [
        *again(ONE, 0),
        *again(TWO, 0),
        *again(LARGE, 0),
        *again(LARGE_TWO, 0),
        *again(OTHER, 0),
    ],
    Verdict.TOO_LONG: [*again(ONE, 0), *again(LARGE, 0)],
    Verdict.UNTRANSLATABLE: [*again(ONE, 0), *again(LARGE, 0), *again(OTHER, 0)],
    Verdict.REFUSED: [*again(ONE, 0)],
}


@pytest.mark.parametrize("verdict", Verdict)
def test_the_provider_table(verdict):
    assert walk(verdict) == TABLE[verdict]


def test_every_verdict_has_its_rule():
    assert set(RULES) == set(Verdict) == set(TABLE)


def test_a_short_retry_after_is_honoured_and_a_long_one_moves_on_at_once():
    assert walk(Verdict.RATE_LIMITED, retry_after=2.0)[:4] == [(0, ONE), (2.0, ONE), (2.0, ONE), (0, TWO)]
    assert walk(Verdict.RATE_LIMITED, retry_after=5.1) == [(0, ONE), (0, TWO), (0, LARGE), (0, LARGE_TWO), (0, OTHER)]
    assert walk(Verdict.FAILED, retry_after=30.0) == [(0, ONE), (0, LARGE), (0, OTHER)]


def test_the_jitter_never_comes_back_sooner_than_asked_and_spreads_the_backoff():
    asked = walk(Verdict.RATE_LIMITED, attempts(jitter=1.0), retry_after=2.0)
    assert asked[1] == (2.2, ONE)
    assert [wait for wait, _ in walk(Verdict.FAILED, attempts(jitter=1.0))[:4]] == [0, 0.25, 0.5, 1]


def test_a_provider_that_forbids_retries_gets_none():
    assert walk(Verdict.FAILED, may_retry=False) == [(0, ONE), (0, LARGE), (0, OTHER)]


def test_retries_can_be_switched_off():
    assert walk(Verdict.FAILED, attempts(retries=0)) == [(0, ONE), (0, LARGE), (0, OTHER)]


def test_a_call_is_tried_at_most_ten_times_and_six_at_one_provider():
    many = tuple(Candidate.of(Provider(ANTHROPIC, "", A.keys), f"m{number}") for number in range(9))
    steps = walk(Verdict.FAILED, attempts(candidates=many))
    assert len(steps) == 6
    both = (*many, *(Candidate.of(O, f"o{number}") for number in range(9)))
    routes = [route for _, route in walk(Verdict.FAILED, attempts(candidates=both))]
    assert len(routes) == 10
    assert sum(route.startswith("anthropic/") for route in routes) == 6


def test_no_wait_goes_beyond_the_deadline():
    machine = attempts()
    machine.first()
    # no time for the backoff: somebody else may still be quick
    assert told(machine.after(Fault(Verdict.FAILED, "x"), 0.4)[0]) == LARGE
    assert machine.after(Fault(Verdict.FAILED, "x"), 0.0) is None


def test_routes_that_are_not_free_are_passed_over():
    machine = attempts(is_free=lambda route: route.key.fingerprint != FIRST)
    assert told(machine.first()) == TWO
    assert [
        route for _, route in walk(Verdict.BAD_KEY, attempts(is_free=lambda route: route.candidate.model != "m"))
    ] == [
        LARGE,
        LARGE_TWO,
    ]
    assert attempts(is_free=lambda _: False).first() is None


def test_a_route_that_was_not_asked_after_all_is_followed_by_the_next():
    machine = attempts()
    assert [told(machine.first()), *(told(machine.skip()) for _ in range(5))] == [
        *(ONE, TWO, LARGE, LARGE_TWO, OTHER),
        "nobody",
    ]


def test_different_faults_in_turn():
    machine = attempts()
    machine.first()
    faults = [Verdict.RATE_LIMITED, Verdict.BAD_KEY, Verdict.FAILED, Verdict.SILENT, Verdict.FAILED, Verdict.REFUSED]
    steps = [machine.after(Fault(verdict, "x"), 600.0) for verdict in faults]
    assert [told(step and step[0]) for step in steps] == [ONE, TWO, TWO, LARGE, LARGE, "nobody"]
