"""One entry of who is left alone: how it is kept, how long it counts and what follows on it; used by `cooldowns`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_provider_dispatch.domain.trying.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tollway_provider_dispatch.domain.candidate import Route

# an entry that nobody came back to is forgotten, and with it its level
FORGOTTEN_SECONDS = 600.0
# clients invent names of models, and each may have an entry
MOST_REMEMBERED = 1024


class Cooldown(msgspec.Struct, frozen=True):
    """One entry as a store gives it."""

    scope: str
    cause: Verdict
    reason: str
    seconds_left: float
    """0: half open."""
    level: int
    """Which step it is."""
    is_new: bool = False
    """Nothing was wrong before: somebody should be told."""


class Open(msgspec.Struct, frozen=True):
    """One entry as it is kept here."""

    cause: Verdict
    reason: str
    until: float
    """In `Clock.now()`."""
    level: int


def scopes_of(route: Route) -> tuple[str, str, str]:
    """Return the names of a route's provider, of its key, and of its model with that key."""
    provider, key, model = route.candidate.provider.name, route.key.fingerprint, route.candidate.model
    # a client may call a model anything, and closes its own alone
    return provider, f"{provider}/*/{key}", f"{provider}/{'**' if model == '*' else model}/{key}"


def is_told(scope: str, entries: Mapping[str, Open]) -> bool:
    """Say whether the operator knows already of a key that may not use some model; the models' names are clients'."""
    provider, key = _provider_and_key(scope)
    if scope in {provider, f"{provider}/*/{key}"}:
        return False
    return any(
        each.cause is Verdict.BAD_KEY and _provider_and_key(other) == (provider, key) for other, each in entries.items()
    )


def next_step(scope: str, cause: Verdict, reason: str, steps: Sequence[float], level: int | None) -> Cooldown:
    """Return the entry that follows on one of a level, or on none."""
    following = 0 if level is None else min(level + 1, len(steps) - 1)
    return Cooldown(scope, cause, reason, steps[following], following, is_new=level is None)


def counts_until(cause: Verdict, until: float) -> float:
    """Return when an entry may be forgotten: a rest when it is over, others once nobody came back to them."""
    return until if cause is Verdict.RATE_LIMITED else until + FORGOTTEN_SECONDS


def still_counting(entries: Mapping[str, Open], now: float) -> dict[str, Open]:
    """Return what is not to be forgotten; of too many not those that end first."""
    kept = {scope: each for scope, each in entries.items() if counts_until(each.cause, each.until) > now}
    for scope in sorted(kept, key=lambda scope: kept[scope].until)[: max(0, len(kept) - MOST_REMEMBERED)]:
        del kept[scope]
    return kept


def _provider_and_key(scope: str) -> tuple[str, str]:
    return scope.partition("/")[0], scope.rpartition("/")[2]
