"""Cooldowns of this process alone: for one replica, and where no Redis is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_provider_dispatch.domain.cooldown import MOST_REMEMBERED, Cooldown, counts_until, next_step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tollway_provider_dispatch.domain.trying.verdict import Verdict


class MemoryCooldowns:
    """
    A `CooldownStore`.

    Args:
        now: Seconds that only ever grow.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._entries: dict[str, tuple[Cooldown, float]] = {}
        """Each with when it ends."""
        self._probed_until: dict[str, float] = {}

    async def trip(self, scope: str, cause: Verdict, reason: str, steps: Sequence[float]) -> Cooldown:
        now = self._now()
        if scope not in self._entries:
            self._make_room(now)
        known, until = self._entries.get(scope, (None, 0.0))
        if known is not None and counts_until(known.cause, until) < now:
            known = None
        if known is not None and until > now:  # another call has opened it just now
            seconds = max(until - now, steps[0]) if len(steps) == 1 else until - now
            opened = Cooldown(scope, known.cause, known.reason, seconds, known.level)
        else:
            opened = next_step(scope, cause, reason, steps, None if known is None else known.level)
        self._entries[scope] = opened, now + opened.seconds_left
        self._probed_until.pop(scope, None)
        return opened

    async def claim(self, scope: str, seconds: float) -> bool:
        now = self._now()
        if scope not in self._entries:
            return True
        if self._probed_until.get(scope, 0.0) > now:
            return False
        self._probed_until[scope] = now + seconds
        return True

    async def release(self, scope: str) -> None:
        self._probed_until.pop(scope, None)

    async def clear(self, scope: str) -> None:
        self._entries.pop(scope, None)
        self._probed_until.pop(scope, None)

    async def entries(self) -> list[Cooldown]:
        now = self._now()
        return [
            Cooldown(scope, each.cause, each.reason, max(0.0, until - now), each.level)
            for scope, (each, until) in self._entries.items()
            if counts_until(each.cause, until) >= now
        ]

    def _make_room(self, now: float) -> None:
        """Drop what is too old to count, and of too many the one that ends first."""
        old = [scope for scope, (each, until) in self._entries.items() if counts_until(each.cause, until) < now]
        if len(self._entries) - len(old) >= MOST_REMEMBERED:
            old.append(min(self._entries.keys() - old, key=lambda scope: self._entries[scope][1]))
        for scope in old:
            del self._entries[scope]
            self._probed_until.pop(scope, None)
