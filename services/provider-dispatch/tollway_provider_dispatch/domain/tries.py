"""One call's tries: a row for each, the route of the present one, and what is said when none of them is an answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tollway_provider_dispatch.domain.call import Attempt, Failure, Outcome, Piece
from tollway_provider_dispatch.domain.verdict import Verdict

if TYPE_CHECKING:
    from tollway_dialects.usage import Usage

    from tollway_provider_dispatch.domain.attempts import Attempts, Route
    from tollway_provider_dispatch.domain.ports import Clock
    from tollway_provider_dispatch.domain.verdict import Fault

log = logging.getLogger(__name__)

RETRY_AFTER_MS = 1000
# what is wrong with the gateway's own account is no business of the client's
_OURS = frozenset({Verdict.BAD_KEY, Verdict.NO_CREDIT})
# the client reads the provider's own words
_ITS_OWN = frozenset({Verdict.REFUSED, Verdict.TOO_LONG})


class Tries:
    """
    What was tried for one call.

    Args:
        attempts: Says who is next.
        route: The first one.
        clock: For the rows, and to wait between tries.
        deadline: When the call must have its answer, in `Clock.now()`.
    """

    __slots__ = ("_attempts", "_clock", "_deadline", "route", "rows")

    def __init__(self, attempts: Attempts, route: Route, clock: Clock, deadline: float) -> None:
        self._attempts = attempts
        self._clock = clock
        self._deadline = deadline
        self.route = route
        self.rows: list[Attempt] = []

    def begin(self) -> Attempt:
        """Open the row of a try at the present route."""
        candidate, key = self.route.candidate, self.route.key
        row = Attempt(
            len(self.rows) + 1, candidate.provider.name, candidate.model, key.fingerprint, self._clock.unix_ms()
        )
        self.rows.append(row)
        return row

    def end(self, outcome: Outcome, usage: Usage, reason: str = "") -> None:
        """Close the present row."""
        row = self.rows[-1]
        row.outcome = outcome
        row.usage = usage
        row.reason = reason
        row.duration_ms = self._clock.unix_ms() - row.started_unix_ms

    async def again(self, fault: Fault) -> bool:
        """Take the next route, after the wait that it asks for; False where nobody is left."""
        left = self.route
        following = self._attempts.after(fault, self._deadline - self._clock.now())
        if following is None:
            return False
        self.route, wait = following
        if wait:
            await self._clock.sleep(wait)
        if self.route.candidate is not left.candidate:
            log.warning("%s failed (%s): falling through to %s", left.candidate, fault.reason, self.route.candidate)
        return True

    def last_word(self, piece: Piece, fault: Fault) -> Piece:
        """Return what the client gets, given the last try's answer or failure, when nobody is left."""
        if fault.verdict in _ITS_OWN:
            return piece
        if fault.verdict in _OURS:
            message = f"provider {self.rows[-1].provider} refused the gateway's own key ({fault.reason})"
            return self._failed(piece, Failure("PROVIDER_CREDENTIALS", message, 0))
        if len(self._reasons()) == 1:
            return piece
        message = f"no provider could answer: {'; '.join(self._reasons().values())}; try again"
        return self._failed(piece, Failure("PROVIDERS_EXHAUSTED", message, RETRY_AFTER_MS))

    def _failed(self, piece: Piece, failure: Failure) -> Piece:
        return Piece(usage=piece.usage, failure=failure, attempts=tuple(self.rows))

    def _reasons(self) -> dict[tuple[str, str], str]:
        """Return each candidate's last reason."""
        return {
            (row.provider, row.model): f"{row.provider}/{row.model}: {row.reason}"
            for row in self.rows
            if row.outcome is not Outcome.RUNNING
        }
