"""Who is left alone, for how long, who probes, and what the operator hears of it."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import pytest
from tollway_provider_dispatch.adapters.providers.anthropic import ANTHROPIC
from tollway_provider_dispatch.adapters.providers.openai import OPENAI
from tollway_provider_dispatch.domain.candidate import Candidate, Route
from tollway_provider_dispatch.domain.cooldowns import PROBE_SECONDS, CooldownLimits, Cooldowns
from tollway_provider_dispatch.domain.ports import CooldownsUnavailable
from tollway_provider_dispatch.domain.provider import Provider, ProviderKey
from tollway_provider_dispatch.domain.trying.attempts import AttemptLimits, Attempts
from tollway_provider_dispatch.domain.trying.verdict import Fault, Verdict

KEYS = tuple(ProviderKey.of(f"sk-{number}") for number in range(5))
A = Provider(ANTHROPIC, "", KEYS)
O = Provider(OPENAI, "", KEYS[:1])  # noqa: E741


def route(key: int = 0, model: str = "m", provider: Provider = A) -> Route:
    return Route(Candidate.of(provider, model), provider.keys[key])


def fault(verdict: Verdict = Verdict.FAILED, reason: str = "status_503", **more: Any) -> Fault:
    return Fault(verdict, reason, **more)


async def fail(cooldowns: Cooldowns, times: int, at: Route | None = None) -> None:
    for _ in range(times):
        await cooldowns.failed(at or route(), fault())


async def test_five_faults_in_a_row_open_and_a_success_in_between_begins_the_count_anew(cooldowns):
    await fail(cooldowns, 4)
    assert cooldowns.is_free(route())
    await cooldowns.succeeded(route())
    await fail(cooldowns, 4)
    assert cooldowns.is_free(route())
    await fail(cooldowns, 1)
    assert not cooldowns.is_free(route())
    assert cooldowns.obstacle(route()) == ("status_503", 5.0, Verdict.FAILED)


async def test_other_keys_models_and_providers_are_asked_on(cooldowns):
    await fail(cooldowns, 5)
    assert [cooldowns.is_free(each) for each in (route(1), route(model="n"), route(provider=O))] == [True] * 3


async def test_a_refusal_of_the_request_is_no_fault_and_proves_that_somebody_answers(cooldowns):
    await fail(cooldowns, 4)
    await cooldowns.failed(route(), fault(Verdict.REFUSED, "status_400"))
    await fail(cooldowns, 4)
    assert cooldowns.is_free(route())


async def test_what_was_never_asked_proves_nothing(cooldowns):
    await fail(cooldowns, 4)
    await cooldowns.failed(route(), fault(Verdict.UNTRANSLATABLE, "untranslatable"))
    await fail(cooldowns, 1)
    assert not cooldowns.is_free(route())


async def test_one_probe_at_a_time_goes_through_what_is_half_open(cooldowns, clock):
    await fail(cooldowns, 5)
    clock.time += 5.1
    assert cooldowns.is_free(route())
    assert await cooldowns.admit(route())
    assert not cooldowns.is_free(route())
    clock.time += PROBE_SECONDS  # its caller left
    assert await cooldowns.admit(route())
    await cooldowns.succeeded(route())
    assert cooldowns.is_quiet()
    assert cooldowns.is_free(route())


async def test_a_probe_that_fails_opens_for_longer_at_once(cooldowns, clock):
    await fail(cooldowns, 5)
    steps = []
    for _ in range(6):
        steps.append(round(cooldowns.obstacle(route())[1]))
        clock.time += steps[-1] + 0.1
        assert await cooldowns.admit(route())
        await fail(cooldowns, 1)
    assert steps == [5, 10, 20, 20, 60, 60]


async def test_a_provider_that_was_down_for_a_minute_is_asked_again_within_half_a_minute_of_its_return(
    cooldowns, clock
):
    began, asked = clock.time, []
    for _ in range(25):  # a call every four seconds
        if cooldowns.is_free(route()) and await cooldowns.admit(route()):
            asked.append(clock.time - began)
            if asked[-1] >= 60:
                await cooldowns.succeeded(route())
            else:
                await fail(cooldowns, 4)
        clock.time += 4
    assert next(at for at in asked if at >= 60) < 90
    assert len([at for at in asked if at < 60]) <= 6


async def test_a_rest_is_as_long_as_the_provider_told_and_ends_by_itself(cooldowns, clock):
    await cooldowns.failed(route(), fault(Verdict.RATE_LIMITED, "status_429", retry_after=30.0))
    assert cooldowns.obstacle(route()) == ("status_429", 30.0, Verdict.RATE_LIMITED)
    clock.time += 30.1
    assert cooldowns.is_free(route())
    assert [await cooldowns.admit(route()) for _ in range(3)] == [True] * 3  # all at once, no probes
    assert cooldowns.entries() == {}


@pytest.mark.parametrize(
    ("reason", "closed"),
    [
        # a key that is none is none for every model; one that may not use a model may use others
        ("status_401", ["anthropic/m", "anthropic/n"]),
        ("status_403", ["anthropic/m"]),
    ],
)
async def test_a_key_that_is_refused_is_left_alone_and_told_once(cooldowns, caplog, reason, closed):
    for _ in range(20):
        await cooldowns.failed(route(), fault(Verdict.BAD_KEY, reason))
    routes = [route(), route(model="n"), route(1), route(provider=O)]
    assert [str(each.candidate) for each in routes if not cooldowns.is_free(each)] == closed
    alerts = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert len(alerts) == 1
    assert KEYS[0].fingerprint in alerts[0].message
    assert "sk-0" not in caplog.text


async def test_an_account_without_credit_is_left_alone_with_all_its_keys(cooldowns, caplog):
    await cooldowns.failed(route(), fault(Verdict.NO_CREDIT, "status_402"))
    await cooldowns.failed(route(1), fault(Verdict.NO_CREDIT, "status_402"))
    assert [cooldowns.is_free(each) for each in (route(), route(3, "n"), route(provider=O))] == [False, False, True]
    assert [cooldowns.is_free_but_for_credentials(each) for each in (route(), route(3, "n"))] == [True, True]
    assert [each.levelno for each in caplog.records] == [logging.ERROR]


async def test_who_is_told_of_a_key_hears_of_it_again_once_it_worked_meanwhile(cooldowns, caplog, clock):
    for _ in range(2):
        await cooldowns.failed(route(), fault(Verdict.BAD_KEY, "status_401"))
        clock.time += 400
        await cooldowns.succeeded(route())
    assert [each.levelname for each in caplog.records] == ["ERROR", "WARNING"] * 2


async def test_cooldowns_can_be_switched_off(store, clock):
    off = Cooldowns(store, clock, CooldownLimits(steps=()))
    await fail(off, 20)
    await off.failed(route(), fault(Verdict.BAD_KEY, "status_401"))
    assert off.is_quiet()
    assert off.last_errors == {f"anthropic/m/{KEYS[0].fingerprint}": ("status_401", clock.unix_ms())}


async def test_what_one_replica_learns_the_others_know_and_one_alone_is_told(store, clock, caplog):
    one, other = (Cooldowns(store, clock, CooldownLimits()) for _ in range(2))
    await fail(one, 5)
    await one.failed(route(1), fault(Verdict.BAD_KEY, "status_401"))
    await other.failed(route(1), fault(Verdict.BAD_KEY, "status_401"))
    assert other.is_free(route())
    await other.refresh()
    assert not other.is_free(route())
    assert len([each for each in caplog.records if each.levelno == logging.ERROR]) == 1
    clock.time += 6
    assert [await each.admit(route()) for each in (one, other)] == [True, False]
    await one.succeeded(route())
    await other.refresh()
    assert other.is_free(route())


async def test_without_its_store_each_replica_goes_by_itself(clock):
    class Away:
        async def trip(self, *_: object) -> Any:
            raise CooldownsUnavailable("away")

        claim = clear = entries = trip

    alone = Cooldowns(Away(), clock, CooldownLimits())  # type: ignore[arg-type]
    await fail(alone, 5)
    assert alone.obstacle(route())[1] == 5
    clock.time += 6
    assert await alone.admit(route())
    await fail(alone, 1)
    assert alone.obstacle(route())[1] == 10
    clock.time += 11
    assert await alone.admit(route())
    await alone.succeeded(route())
    assert alone.is_quiet()


async def test_of_five_keys_one_that_rests_moves_its_own_conversations_alone_and_spreads_them(cooldowns):
    conversations = [f"conversation-{number}" for number in range(2000)]

    def keys() -> list[str]:
        machines = [
            Attempts([Candidate.of(A, "m")], each.encode, AttemptLimits(), cooldowns.is_free, lambda: 0.5)
            for each in conversations
        ]
        return [machine.first().key.fingerprint for machine in machines]  # type: ignore[union-attr]

    before = keys()
    await cooldowns.failed(route(2), fault(Verdict.RATE_LIMITED, "status_429", retry_after=60.0))
    after = keys()
    moved = [(was, now) for was, now in zip(before, after, strict=True) if was != now]
    print(f"moved: {len(moved) / len(conversations):.1%}")  # noqa: T201 - the share is what one wants to know
    assert {was for was, _ in moved} == {KEYS[2].fingerprint}
    assert len(moved) == before.count(KEYS[2].fingerprint)
    assert 0.15 < len(moved) / len(conversations) < 0.25
    spread = Counter(now for _, now in moved)
    assert len(spread) == 4
    assert min(spread.values()) > 0.15 * len(moved)
