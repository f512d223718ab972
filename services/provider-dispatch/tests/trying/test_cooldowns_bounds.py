"""What clients and providers say cannot make cooldowns grow, last, or hold a probe that nobody makes."""

from __future__ import annotations

import logging
from math import inf, nan
from typing import Any

import pytest
from saying import call
from tollway_provider_dispatch.adapters.providers.anthropic import ANTHROPIC
from tollway_provider_dispatch.domain.candidate import Candidate, Route
from tollway_provider_dispatch.domain.cooldown import FORGOTTEN_SECONDS, MOST_REMEMBERED
from tollway_provider_dispatch.domain.cooldowns import Cooldowns
from tollway_provider_dispatch.domain.provider import Provider, ProviderKey
from tollway_provider_dispatch.domain.trying.attempts import AttemptLimits
from tollway_provider_dispatch.domain.trying.tries import Tries, Trying
from tollway_provider_dispatch.domain.trying.verdict import Fault, Verdict

PROVIDER = Provider(ANTHROPIC, "", (ProviderKey.of("sk-1"), ProviderKey.of("sk-2")))
DENIED = Fault(Verdict.BAD_KEY, "status_403")
FAILED = Fault(Verdict.FAILED, "status_503")
UNTRANSLATABLE = Fault(Verdict.UNTRANSLATABLE, "untranslatable")


def route(model: str = "m", key: int = 0) -> Route:
    return Route(Candidate.of(PROVIDER, model), PROVIDER.keys[key])


async def half_open(cooldowns: Cooldowns, clock: Any, at: Route | None = None) -> None:
    for _ in range(5):
        await cooldowns.failed(at or route(), FAILED)
    clock.time += 6


async def test_nobody_rests_for_longer_than_an_hour(cooldowns):
    await cooldowns.failed(route(), Fault(Verdict.RATE_LIMITED, "status_429", 1e20))
    assert cooldowns.obstacle(route())[1] == 3600


@pytest.mark.parametrize("seconds", [inf, nan])
async def test_a_rest_without_a_number_is_none(cooldowns, seconds):
    await cooldowns.failed(route(), Fault(Verdict.RATE_LIMITED, "status_429", seconds))
    assert cooldowns.obstacle(route()) is None


async def test_names_that_clients_invent_take_bounded_room_and_are_forgotten(cooldowns, store, clock):
    for number in range(MOST_REMEMBERED + 50):
        await cooldowns.failed(route(f"x{number}"), DENIED)
    assert len(cooldowns.entries()) == MOST_REMEMBERED
    assert len(await store.entries()) == MOST_REMEMBERED
    clock.time += FORGOTTEN_SECONDS + 61
    assert not cooldowns.is_any_open()
    assert cooldowns.is_quiet()
    await cooldowns.failed(route(), DENIED)
    assert len(store._entries) == 1


async def test_a_key_is_told_once_however_many_names_clients_invent_for_it(cooldowns, caplog):
    for number in range(20):
        await cooldowns.failed(route(f"x{number}"), DENIED)
    await cooldowns.failed(route("x", key=1), DENIED)
    alerts = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert [each.split(" is refused")[0] for each in alerts] == [
        f"ALERT: anthropic/x0/{PROVIDER.keys[0].fingerprint}",
        f"ALERT: anthropic/x/{PROVIDER.keys[1].fingerprint}",
    ]
    # that the key is none at all is news
    await cooldowns.failed(route(), Fault(Verdict.BAD_KEY, "status_401"))
    assert len([each for each in caplog.records if each.levelno == logging.ERROR]) == 3


async def test_a_model_that_a_client_calls_by_a_star_closes_no_key(cooldowns):
    await cooldowns.failed(route("*"), DENIED)
    assert cooldowns.is_free(route("m"))
    assert not cooldowns.is_free(route("*"))


async def test_a_probe_that_another_replica_makes_is_not_held_here(cooldowns, store, clock):
    await half_open(cooldowns, clock)
    scope = next(iter(cooldowns.entries()))
    assert await store.claim(scope, 30)
    assert not await cooldowns.admit(route())
    await store.release(scope)
    assert cooldowns.is_free(route())
    assert await cooldowns.admit(route())


async def test_what_is_refused_for_its_model_gives_the_keys_probe_back(cooldowns, store, clock):
    await cooldowns.failed(route(), Fault(Verdict.BAD_KEY, "status_401"))
    await half_open(cooldowns, clock)
    clock.time += 60
    assert await store.claim(f"anthropic/m/{PROVIDER.keys[0].fingerprint}", 30)
    assert not await cooldowns.admit(route())
    assert await cooldowns.admit(route("n"))


async def test_a_call_that_cannot_be_translated_leaves_the_probe_to_the_next(cooldowns, clock):
    at = route()
    await half_open(cooldowns, clock, at)
    trying = Trying(AttemptLimits(), clock, cooldowns, lambda: 0.0)
    only = Candidate.of(Provider(ANTHROPIC, "", PROVIDER.keys[:1]), "m")
    first, other = (Tries.of(call(), [only], trying) for _ in range(2))
    assert await first.find_free()
    assert not await other.find_free()
    assert not await first.again(UNTRANSLATABLE)
    assert await other.find_free()
