"""
Who is left alone for a while, and why: circuit breakers, keys that rest, keys and accounts that are refused.

    closed ──consecutive faults──▶ open ──its seconds pass──▶ half open ──one probe succeeds──▶ closed
                                    ▲                             └──it fails: the next, longer step──┐
                                    └──────────────────────────────────────────────────────────────────┘

A rate limit opens for as long as the provider told, and closes by itself. While nothing is wrong, all of this is one
look at an empty dict.
"""

from __future__ import annotations

import logging
from math import inf, isfinite
from typing import TYPE_CHECKING

import msgspec

from tollway_provider_dispatch.domain.cooldown import (
    MOST_REMEMBERED,
    Open,
    counts_until,
    is_told,
    next_step,
    scopes_of,
    still_counting,
)
from tollway_provider_dispatch.domain.ports import CooldownsUnavailable
from tollway_provider_dispatch.domain.trying.verdict import LONGEST_REST, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tollway_provider_dispatch.domain.candidate import Route
    from tollway_provider_dispatch.domain.cooldown import Cooldown
    from tollway_provider_dispatch.domain.ports import Clock, CooldownStore
    from tollway_provider_dispatch.domain.trying.verdict import Fault

log = logging.getLogger(__name__)

# while a probe is under way, or its caller has left, nobody else probes for so long
PROBE_SECONDS = 30.0
CREDENTIALS = frozenset({Verdict.BAD_KEY, Verdict.NO_CREDIT})
_COUNTED = frozenset({Verdict.FAILED, Verdict.SILENT, Verdict.OVERLOADED, Verdict.RATE_LIMITED})


class CooldownLimits(msgspec.Struct, frozen=True):
    """When a route is left alone, and for how long."""

    failures: int = 5
    """Consecutive faults that open a breaker."""
    steps: tuple[float, ...] = (5.0, 10.0, 20.0, 20.0, 60.0)
    """Seconds that it stays open, the first time and each time that its probe fails; none: nobody is left alone."""
    credentials: tuple[float, ...] = (60.0, 300.0)
    """The same for a key or an account that the provider refuses."""


class Cooldowns:
    """
    What this process knows of them; the store shares it with the others.

    Args:
        store: Decides who opens, and who probes.
        clock: For the seconds that are left.
        limits: How many faults, and how long.
    """

    def __init__(self, store: CooldownStore, clock: Clock, limits: CooldownLimits) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits
        self._open: dict[str, Open] = {}
        self._forget_at = inf
        """Before then none of them is old enough to be forgotten."""
        self._failures: dict[str, int] = {}
        self._probes: dict[str, float] = {}
        self.last_errors: dict[str, tuple[str, int]] = {}
        """The latest fault of each route and when it was, in Unix milliseconds."""

    def is_quiet(self) -> bool:
        """Nothing is wrong, so that a success changes nothing."""
        return not self._failures and not self._open

    def is_any_open(self) -> bool:
        """Somebody is left alone, so that a call must look whom it may ask."""
        if self._open and self._clock.now() >= self._forget_at:
            self._forget()
        return bool(self._open)

    def is_free(self, route: Route) -> bool:
        """Say whether a route may be asked, perhaps as a probe."""
        return not self._open or self._obstacle(route) is None

    def is_free_but_for_credentials(self, route: Route) -> bool:
        """Say the same for a call that nobody else could answer: who paid or changed a key is then noticed at once."""
        found = self._obstacle(route)
        return found is None or found.cause in CREDENTIALS

    def obstacle(self, route: Route) -> tuple[str, float, Verdict] | None:
        """Return why a route may not be asked, and for how many seconds; None where it may."""
        found = self._obstacle(route)
        return (found.reason, max(0.0, found.until - self._clock.now()), found.cause) if found else None

    async def admit(self, route: Route) -> bool:
        """Say whether the call may go there; of several that would probe one alone may."""
        if not self._open:
            return True
        now = self._clock.now()
        claimed: list[str] = []
        for scope in scopes_of(route):
            entry = self._open.get(scope)
            if entry is None or entry.until > now or entry.cause is Verdict.RATE_LIMITED:
                continue
            if not await self._claim(scope, now):
                await self._give_back(claimed)
                return False
            claimed.append(scope)
        return True

    async def release(self, route: Route) -> None:
        """Let others probe: the call that was admitted never asked."""
        await self._give_back([scope for scope in scopes_of(route) if scope in self._probes])

    async def _claim(self, scope: str, now: float) -> bool:
        if self._probes.get(scope, 0.0) > now:
            return False
        self._probes[scope] = now + PROBE_SECONDS
        try:
            if await self._store.claim(scope, PROBE_SECONDS):
                return True
        except CooldownsUnavailable:
            return True  # each replica probes for itself
        self._probes.pop(scope, None)  # another replica probes, and may be done sooner
        return False

    async def _give_back(self, scopes: Iterable[str]) -> None:
        for scope in scopes:
            self._probes.pop(scope, None)
            try:
                await self._store.release(scope)
            except CooldownsUnavailable as error:
                log.warning("that %s may be probed is not shared (%s)", scope, error)

    async def failed(self, route: Route, fault: Fault) -> None:
        """Take note of a fault; a refusal of the request is none."""
        if fault.verdict is Verdict.UNTRANSLATABLE:
            return  # nobody was asked
        if fault.verdict not in _COUNTED and fault.verdict not in CREDENTIALS:
            await self.succeeded(route)
            return
        provider, key, model = scopes_of(route)
        if len(self.last_errors) >= MOST_REMEMBERED:
            self.last_errors.clear()
            self._failures.clear()
        self.last_errors[model] = fault.reason, self._clock.unix_ms()
        if not self._limits.steps:
            return
        if fault.verdict is Verdict.NO_CREDIT:
            await self._trip(provider, fault, self._limits.credentials)
        elif fault.verdict is Verdict.BAD_KEY:
            await self._trip(model if fault.reason == "status_403" else key, fault, self._limits.credentials)
        elif fault.verdict is Verdict.RATE_LIMITED and fault.retry_after is not None and isfinite(fault.retry_after):
            await self._trip(model, fault, (min(fault.retry_after, LONGEST_REST),))
        else:
            self._failures[model] = self._failures.get(model, 0) + 1
            if self._failures[model] >= self._limits.failures or model in self._open:
                await self._trip(model, fault, self._limits.steps)

    async def succeeded(self, route: Route) -> None:
        """Close what a success proves to be well."""
        if self.is_quiet():
            return
        for scope in scopes_of(route):
            self._failures.pop(scope, None)
            self._probes.pop(scope, None)
            if (entry := self._open.get(scope)) and entry.cause is not Verdict.RATE_LIMITED:
                del self._open[scope]
                log.warning("%s answers again (was: %s)", scope, entry.reason)
                try:
                    await self._store.clear(scope)
                except CooldownsUnavailable as error:
                    log.warning("that %s answers again is not shared (%s)", scope, error)

    async def refresh(self) -> None:
        """Learn what other replicas know; raises `CooldownsUnavailable`."""
        self.replace(await self._store.entries())

    def replace(self, entries: Iterable[Cooldown]) -> None:
        now = self._clock.now()
        self._open = {
            each.scope: Open(each.cause, each.reason, now + each.seconds_left, each.level) for each in entries
        }
        self._forget()

    def entries(self) -> dict[str, Open]:
        """Return what is open or half open now, by scope."""
        self._forget()
        return dict(self._open)

    def left_ms(self, entry: Open) -> int:
        """Return how long an entry stays open."""
        return max(0, round((entry.until - self._clock.now()) * 1000))

    async def _trip(self, scope: str, fault: Fault, steps: Sequence[float]) -> None:
        try:
            opened = await self._store.trip(scope, fault.verdict, fault.reason, steps)
        except CooldownsUnavailable as error:
            log.warning("cooldowns are not shared (%s)", error)
            known = self._open.get(scope)
            opened = next_step(scope, fault.verdict, fault.reason, steps, known.level if known else None)
        is_known = is_told(scope, self._open)
        entry = Open(opened.cause, opened.reason, self._clock.now() + opened.seconds_left, opened.level)
        self._open[scope] = entry
        self._probes.pop(scope, None)
        self._forget_at = min(self._forget_at, counts_until(entry.cause, entry.until))
        if len(self._open) > MOST_REMEMBERED:
            self._forget()
        if opened.is_new and fault.verdict in CREDENTIALS and is_known:
            log.info("%s is refused by its provider too (%s)", scope, fault.reason)
        elif opened.is_new and fault.verdict in CREDENTIALS:
            log.error("ALERT: %s is refused by its provider (%s): check its key and its credit", scope, fault.reason)
        elif opened.is_new:
            log.warning("%s is left alone for %.0f s (%s)", scope, opened.seconds_left, fault.reason)

    def _obstacle(self, route: Route) -> Open | None:
        now = self._clock.now()
        for scope in scopes_of(route):
            entry = self._open.get(scope)
            if entry is None:
                continue
            if entry.until > now:
                return entry
            if entry.cause is Verdict.RATE_LIMITED:
                del self._open[scope]
            elif (probed_until := self._probes.get(scope, 0.0)) > now:
                return msgspec.structs.replace(entry, until=min(probed_until, now + 1))
        return None

    def _forget(self) -> None:
        """Drop what is too old to count, and of too many those that end first."""
        kept = still_counting(self._open, self._clock.now())
        self._open = kept
        self._probes = {scope: until for scope, until in self._probes.items() if scope in kept}
        self._forget_at = min((counts_until(each.cause, each.until) for each in kept.values()), default=inf)
