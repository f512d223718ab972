"""One workspace's tokens in the month that runs: booked, and set aside for calls in flight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tollway_servicekit.errors import Exhausted

from tollway_metering.domain.month import month_of, to_iso

if TYPE_CHECKING:
    from collections.abc import Iterable

RESERVATION_LIFETIME_MS = 15 * 60 * 1000
"""
A caller that died never settles, and its tokens must not block the workspace until the next restart.
The bound lies above the ten minutes that clients wait for an answer, so that no call loses its room while it runs.
"""


@dataclass(frozen=True, slots=True)
class _Reservation:
    tokens: int
    expires_unix_ms: int


class MonthlyBudget:
    """
    Decides whether a call still fits under a cap. Never awaits, so no two calls can take the same room.

    A call counts in the month in which it is booked, by this process's clock; what is reserved when a month ends stays
    reserved in the next. So booked plus reserved never exceeds the cap, whatever the clocks of callers say.
    """

    def __init__(self, workspace: str, now_unix_ms: int, booked_tokens: int) -> None:
        self._workspace = workspace
        self._begin, self._end = month_of(now_unix_ms)
        self._booked = booked_tokens
        self._reserved = 0
        self._reservations: dict[str, _Reservation] = {}  # the next to expire stands first

    def booked(self, now_unix_ms: int) -> int:
        self._enter_month(now_unix_ms)
        return self._booked

    def reserve(self, call_id: str, tokens: int, cap: int, now_unix_ms: int) -> None:
        """
        Set tokens aside; a second reservation of a call replaces its first.

        Raises:
            Exhausted: They do not fit; what the call had reserved before stays.
        """
        self._enter_month(now_unix_ms)
        self._drop_expired(now_unix_ms)
        held = self._reservations.get(call_id)
        others = self._reserved - (held.tokens if held else 0)
        if self._booked + others + tokens > cap:
            raise self._quota_exceeded(tokens, cap, others)
        self.release(call_id)
        self._reservations[call_id] = _Reservation(tokens, now_unix_ms + RESERVATION_LIFETIME_MS)
        self._reserved += tokens

    def release(self, call_id: str) -> None:
        held = self._reservations.pop(call_id, None)
        if held:
            self._reserved -= held.tokens

    def release_all(self, call_ids: Iterable[str]) -> None:
        """Release what these calls had reserved, if anything."""
        if self._reservations:
            for call_id in call_ids:
                self.release(call_id)

    def add(self, tokens: int, booked_unix_ms: int) -> None:
        """Count what was booked, unless its month is over."""
        self._enter_month(booked_unix_ms)
        if booked_unix_ms >= self._begin:
            self._booked += tokens

    def _enter_month(self, now_unix_ms: int) -> None:
        if now_unix_ms >= self._end:
            self._begin, self._end = month_of(now_unix_ms)
            self._booked = 0

    def _drop_expired(self, now_unix_ms: int) -> None:
        while self._reservations:
            call_id, first = next(iter(self._reservations.items()))
            if first.expires_unix_ms > now_unix_ms:
                return
            self.release(call_id)

    def _quota_exceeded(self, tokens: int, cap: int, others: int) -> Exhausted:
        is_retryable = self._booked + tokens <= cap
        end = to_iso(self._end)
        advice = (
            "calls in flight hold the rest; retry when they have ended"
            if is_retryable
            else f"lower max_tokens, wait until {end}, or raise LLM_MONTHLY_TOKEN_CAP_PER_WORKSPACE"
        )
        return Exhausted(
            "QUOTA_EXCEEDED",
            f"workspace {self._workspace} has used {self._booked} of its cap of {cap} tokens in the month that ends "
            f"{end} and reserved {others}; this call may need {tokens}: {advice}",
            {
                "workspace": self._workspace,
                "cap": str(cap),
                "used": str(self._booked),
                "reserved": str(others),
                "period_end": end,
                "retryable": "true" if is_retryable else "false",
            },
        )
