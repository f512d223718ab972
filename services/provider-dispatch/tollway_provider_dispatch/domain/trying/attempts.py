"""
The tries of one call as a state machine: which route is tried next, after what wait, until when.

    route ──fault──▶ the same route again, after a wait   while the rule of the verdict has retries left
                 └─▶ the next key                         rate limits and bad keys belong to a key
                 └─▶ the next candidate                   faults of a model, a provider, or its credit
                 └─▶ nobody                               the client's own fault, or nobody is left

It does no I/O and knows no clock: `dispatch` drives it, and tells it the time.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

import msgspec

from tollway_provider_dispatch.domain.trying.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tollway_provider_dispatch.domain.candidate import Candidate, Route
    from tollway_provider_dispatch.domain.trying.verdict import Fault


class Then(Enum):
    """Who is asked once a route's retries are used up."""

    NEXT_KEY = auto()
    NEXT_CANDIDATE = auto()
    NEXT_PROVIDER = auto()
    LARGER_MODEL = auto()
    NOBODY = auto()


class Rule(msgspec.Struct, frozen=True):
    """What a verdict asks for."""

    retries: int
    """Tries of the same route beyond the first."""
    then: Then


RULES = {
    Verdict.RATE_LIMITED: Rule(2, Then.NEXT_KEY),
    Verdict.OVERLOADED: Rule(2, Then.NEXT_CANDIDATE),
    Verdict.FAILED: Rule(3, Then.NEXT_CANDIDATE),
    Verdict.SILENT: Rule(0, Then.NEXT_CANDIDATE),
    Verdict.NO_CREDIT: Rule(0, Then.NEXT_PROVIDER),
    Verdict.BAD_KEY: Rule(0, Then.NEXT_KEY),
    Verdict.TOO_LONG: Rule(0, Then.LARGER_MODEL),
    Verdict.UNTRANSLATABLE: Rule(0, Then.NEXT_CANDIDATE),
    Verdict.REFUSED: Rule(0, Then.NOBODY),
}


class AttemptLimits(msgspec.Struct, frozen=True):
    """How often and how long is tried."""

    retries: int = 3
    """Most retries of one route, whatever its rule says."""
    per_provider: int = 6
    in_all: int = 10
    longest_wait: float = 5.0
    """A provider that asks for more seconds is left for the next route."""
    backoff: float = 0.5
    """Seconds before the first retry, doubled for each further one; up to half of it is taken off at random."""


class Attempts:
    """
    The tries of one call.

    Args:
        candidates: In the order in which they are asked.
        conversation: Decides the order of each provider's keys.
        limits: How often is tried.
        is_free: Says whether a route may be asked now; a route that is asked again at once is not looked at anew.
        random: From 0 to 1, for the jitter.
    """

    __slots__ = (
        "_by_provider",
        "_conversation",
        "_in_all",
        "_is_free",
        "_left",
        "_limits",
        "_random",
        "_retries",
        "_routes",
        "route",
    )

    def __init__(
        self,
        candidates: Sequence[Candidate],
        conversation: Callable[[], bytes],
        limits: AttemptLimits,
        is_free: Callable[[Route], bool],
        random: Callable[[], float],
    ) -> None:
        self._left = candidates
        self._conversation = conversation
        self._limits = limits
        self._is_free = is_free
        self._random = random
        self._routes: Sequence[Route] = ()
        """Those of the present candidate that were not asked yet."""
        self._by_provider: dict[str, int] = {}
        self._in_all = 0
        self._retries = 0
        self.route: Route | None = None
        """The present one."""

    def first(self) -> Route | None:
        """Return the first route that may be asked; None where there is none."""
        return self._next_candidate()

    def begin_at(self, route: Route) -> None:
        """Take a route as the first one, as it was chosen without looking further."""
        self._left = self._left[self._left.index(route.candidate) + 1 :]
        routes = route.candidate.routes_for(self._conversation)
        self.route, self._routes, self._retries = route, routes[routes.index(route) + 1 :], 0

    def skip(self) -> Route | None:
        """Return the route behind the present one, which was not asked after all."""
        return self._next_key() or self._next_candidate()

    def after(self, fault: Fault, remaining: float) -> tuple[Route, float] | None:
        """
        Return whom to ask next, and after how many seconds; None where nobody is left.

        Args:
            fault: What the present route did.
            remaining: Seconds until the call must have its answer.
        """
        route = self.route
        assert route is not None, "nothing was tried yet"  # noqa: S101 - a mistake of the caller's
        self._in_all += 1
        provider = route.candidate.provider.name
        self._by_provider[provider] = self._by_provider.get(provider, 0) + 1
        rule = RULES[fault.verdict]
        if rule.then is Then.NOBODY or self._in_all >= self._limits.in_all or remaining <= 0:
            return None
        wait = self._wait(fault)
        if self._may_retry(rule, fault, provider) and wait <= self._limits.longest_wait and wait < remaining:
            self._retries += 1
            return route, wait
        self._drop(rule.then, route.candidate)
        following = (self._next_key() if rule.then is Then.NEXT_KEY else None) or self._next_candidate()
        return (following, 0.0) if following else None

    def _may_retry(self, rule: Rule, fault: Fault, provider: str) -> bool:
        has_room = self._by_provider[provider] < self._limits.per_provider
        return fault.may_retry and has_room and self._retries < min(rule.retries, self._limits.retries)

    def _wait(self, fault: Fault) -> float:
        """Return what the provider asked for, a little more so that not all come back at once; else the backoff."""
        if fault.retry_after is not None:
            return fault.retry_after * (1 + 0.1 * self._random())
        return self._limits.backoff * (1 << self._retries) * (1 - 0.5 * self._random())

    def _drop(self, then: Then, failed: Candidate) -> None:
        if then is Then.NEXT_PROVIDER:
            self._left = [each for each in self._left if each.provider is not failed.provider]
        elif then is Then.LARGER_MODEL:
            self._left = [each for each in self._left if each.is_larger_than(failed)]

    def _next_key(self) -> Route | None:
        if self.route is None or not self._has_room(self.route.candidate):
            return None
        return self._take(self._routes)

    def _next_candidate(self) -> Route | None:
        while self._left:
            candidate, *self._left = self._left
            if self._has_room(candidate) and (route := self._take(candidate.routes_for(self._conversation))):
                return route
        return None

    def _take(self, routes: Sequence[Route]) -> Route | None:
        for position, route in enumerate(routes):
            if self._is_free(route):
                self.route, self._routes, self._retries = route, routes[position + 1 :], 0
                return route
        return None

    def _has_room(self, candidate: Candidate) -> bool:
        return self._by_provider.get(candidate.provider.name, 0) < self._limits.per_provider
