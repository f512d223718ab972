"""One call's tries: a row for each, the route of the present one, and what is said when none of them is an answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from tollway_provider_dispatch.domain.call import Attempt, Failure, Outcome, Piece
from tollway_provider_dispatch.domain.cooldowns import CREDENTIALS
from tollway_provider_dispatch.domain.trying.attempts import Attempts
from tollway_provider_dispatch.domain.trying.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tollway_dialects.usage import Usage

    from tollway_provider_dispatch.domain.call import ChatCall
    from tollway_provider_dispatch.domain.candidate import Candidate, Route
    from tollway_provider_dispatch.domain.cooldowns import Cooldowns
    from tollway_provider_dispatch.domain.ports import Clock
    from tollway_provider_dispatch.domain.trying.attempts import AttemptLimits
    from tollway_provider_dispatch.domain.trying.verdict import Fault

log = logging.getLogger(__name__)

RETRY_AFTER_MS = 1000
# clients of some SDKs wait for as long as they are told, so they are never sent away for longer
MOST_RETRY_AFTER = 59.0
# the client reads the provider's own words
_ITS_OWN = frozenset({Verdict.REFUSED, Verdict.TOO_LONG})


class Trying:
    """What every call's tries share: limits, clock, cooldowns, chance."""

    __slots__ = ("clock", "cooldowns", "jitter", "limits")

    def __init__(self, limits: AttemptLimits, clock: Clock, cooldowns: Cooldowns, jitter: Callable[[], float]) -> None:
        self.limits = limits
        self.clock = clock
        self.cooldowns = cooldowns
        self.jitter = jitter


class Tries(msgspec.Struct, eq=False):
    """What was tried for one call; a struct, since each call makes one."""

    _call: ChatCall
    """Its conversation decides the order of keys, its deadline when tries end."""
    _candidates: Sequence[Candidate]
    """Who may be asked, in order."""
    _trying: Trying
    clock: Clock
    rows: list[Attempt]
    route: Route
    """The present one."""
    is_buffered: bool = False
    """A stream is delivered once it is whole."""
    _attempts: Attempts | None = None
    """Made only where the first try is not the last."""
    _conversation: bytes | None = None
    _faults: frozenset[Verdict] = frozenset()
    _admitted_route: Route | None = None
    """The one that it may hold a probe of."""

    @classmethod
    def of(cls, call: ChatCall, candidates: Sequence[Candidate], trying: Trying, is_buffered: bool = False) -> Tries:
        """Return those of a call that begins with the first of the candidates."""
        route = candidates[0].routes_for(call.conversation_key)[0]
        return cls(call, candidates, trying, trying.clock, call.rows, route, is_buffered)

    def conversation(self) -> bytes:
        """Return what decides the order of keys; read from the body only where there are several."""
        if self._conversation is None:
            self._conversation = self._call.conversation_key()
        return self._conversation

    async def find_free(self) -> bool:
        """Look for the first route that may be asked, where not all of them may; False where there is none."""
        cooldowns, clock, limits = self._trying.cooldowns, self.clock, self._trying.limits
        if await self._find(cooldowns.is_free):
            if fallback := self.fallback():
                log.warning("falling through: %s", fallback)
            return True
        if self._first(cooldowns.is_free_but_for_credentials):
            return True
        seconds, cause = min((each[1:] for _, each in self._obstacles()), default=(0.0, Verdict.FAILED))
        wait = seconds * (1 + 0.1 * self._trying.jitter())
        if cause is not Verdict.RATE_LIMITED or wait > min(limits.longest_wait, self._call.deadline - clock.now()):
            return False
        await clock.sleep(wait)
        return await self._find(cooldowns.is_free)

    @property
    def has_others(self) -> bool:
        """Somebody else could go on where the present candidate breaks off."""
        return len(self._candidates) > 1

    def fallback(self) -> str:
        """Return from whom, to whom and why the call fell through; nothing where the first choice is asked."""
        first, present = self._candidates[0], self.route.candidate
        if present is first:
            return ""
        tried = [row.reason for row in self.rows if (row.provider, row.model) == (first.provider.name, first.model)]
        if not tried:
            found = self._trying.cooldowns.obstacle(first.routes_for(self.conversation)[0])
            tried = [f"left alone after {found[0]}" if found else "left alone"]
        return f"from={first}; to={present}; reason={tried[-1]}"

    def begin(self) -> Attempt:
        """Open the row of a try at the present route."""
        candidate, key = self.route.candidate, self.route.key
        started = self.clock.unix_ms()
        row = Attempt(len(self.rows) + 1, candidate.provider.name, candidate.model, key.fingerprint, started)
        self.rows.append(row)
        return row

    def end(self, outcome: Outcome, usage: Usage, reason: str = "") -> None:
        """Close the present row."""
        row = self.rows[-1]
        row.outcome = outcome
        row.usage = usage
        row.reason = reason
        row.duration_ms = self.clock.unix_ms() - row.started_unix_ms

    async def succeeded(self) -> None:
        """Let the cooldowns know that the present route is well."""
        if not self._trying.cooldowns.is_quiet():
            await self._trying.cooldowns.succeeded(self.route)

    async def again(self, fault: Fault, *, is_noted: bool = False) -> bool:
        """Take the next route, after the wait that it asks for; False where nobody is left."""
        left, trying = self.route, self._trying
        self._faults |= {fault.verdict}
        if fault.verdict is Verdict.UNTRANSLATABLE and left is self._admitted_route:  # it was not asked
            await trying.cooldowns.release(left)
        if not is_noted:
            await trying.cooldowns.failed(left, fault)
            obstacle = trying.cooldowns.obstacle(left)
            if obstacle and obstacle[2] is not Verdict.RATE_LIMITED:  # it was one fault too many
                fault = msgspec.structs.replace(fault, may_retry=False)
        if self._attempts is None:
            self._attempts = self._machine(trying.cooldowns.is_free)
            self._attempts.begin_at(left)
        following = self._attempts.after(fault, self._call.deadline - trying.clock.now())
        if following is None:
            return False
        route, wait = following
        if wait:
            await trying.clock.sleep(wait)
        if route is not left and not await self._admitted(route):
            return False
        if self.route.candidate is not left.candidate:
            log.warning("%s failed (%s): falling through to %s", left.candidate, fault.reason, self.route.candidate)
        return True

    def last_word(self, piece: Piece, fault: Fault) -> Piece:
        """Return what the client gets, given the last try's answer or failure, when nobody is left."""
        if fault.verdict in _ITS_OWN:
            return piece
        if all(row.reason == Verdict.UNTRANSLATABLE for row in self.rows):  # whoever is asked
            return piece
        if fault.verdict in CREDENTIALS:  # what is wrong with the gateway's own account is no business of the client's
            if not self._is_for_operator():
                return self.nobody(piece.usage)
            message = (
                f"provider {self.rows[-1].provider} refused the gateway's own key ({fault.reason}); tell its operator"
            )
            return self._failed(piece.usage, Failure("PROVIDER_CREDENTIALS", message, 0))
        return piece if len({(row.provider, row.model) for row in self.rows}) == 1 else self.nobody(piece.usage)

    def nobody(self, usage: Usage | None = None) -> Piece:
        """Return what is said where every candidate failed or is left alone, each with its last reason."""
        reasons = {f"{row.provider}/{row.model}": row.reason for row in self.rows}
        resting = list(self._obstacles())
        for candidate, (reason, _, _) in resting:
            reasons.setdefault(str(candidate), f"left alone after {reason}")
        is_any_free = len(resting) < len(self._candidates)
        seconds = RETRY_AFTER_MS / 1000 if is_any_free else min(each[1] for _, each in resting)
        told = "; ".join(f"{candidate}: {reason}" for candidate, reason in reasons.items())
        wait = round(min(max(seconds, 1.0), MOST_RETRY_AFTER) * 1000)
        return self._failed(
            usage, Failure("PROVIDERS_EXHAUSTED", f"no provider could answer ({told}); try again", wait)
        )

    async def _find(self, is_free: Callable[[Route], bool]) -> bool:
        return self._first(is_free) and await self._admitted(self.route)

    def _first(self, is_free: Callable[[Route], bool]) -> bool:
        self._attempts = self._machine(is_free)
        route = self._attempts.first()
        if route is not None:
            self.route = route
        return route is not None

    async def _admitted(self, route: Route | None) -> bool:
        """Go there, or to the next route that lets the call in."""
        while route is not None and not await self._trying.cooldowns.admit(route):
            route = self._attempts.skip() if self._attempts else None
        if route is not None:
            self.route = self._admitted_route = route
        return route is not None

    def _machine(self, is_free: Callable[[Route], bool]) -> Attempts:
        trying = self._trying
        return Attempts(self._candidates, self.conversation, trying.limits, is_free, trying.jitter)

    def _is_for_operator(self) -> bool:
        """Say whether nothing but keys and credit is in the way, so that coming again helps nobody."""
        in_the_way = self._faults | {cause for _, (_, _, cause) in self._obstacles()}
        return in_the_way <= CREDENTIALS | {Verdict.UNTRANSLATABLE}

    def _obstacles(self) -> Iterator[tuple[Candidate, tuple[str, float, Verdict]]]:
        """Return for each candidate that is left alone why, and for how long the first of its keys is."""
        for candidate in self._candidates:
            found = [self._trying.cooldowns.obstacle(route) for route in candidate.routes]
            if all(found):
                yield candidate, min((each for each in found if each), key=lambda each: each[1])

    def _failed(self, usage: Usage | None, failure: Failure) -> Piece:
        return Piece(usage=usage, failure=failure, attempts=tuple(self.rows))
