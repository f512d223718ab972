"""What dispatching needs from outside: an HTTP client for each provider, and a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tollway_provider_dispatch.domain.account import Account
    from tollway_provider_dispatch.domain.cooldown import Cooldown
    from tollway_provider_dispatch.domain.trying.verdict import Verdict


class UpstreamBroken(Exception):
    """
    No answer, or not a whole one.

    Args:
        reason: One of connect_failed, reset, timeout, malformed_response, ended_early, untranslatable, or the
            provider's name of an error in a stream.
        message: Without anything that is secret.
        is_sent: False where the whole request is known not to have left, so that nobody can charge for it.
    """

    def __init__(self, reason: str, message: str, *, is_sent: bool = True) -> None:
        super().__init__(message)
        self.reason = reason
        self.is_sent = is_sent


class AccountsUnavailable(Exception):
    """It cannot be known now who made what."""


class CooldownsUnavailable(Exception):
    """What is shared of them cannot be asked now."""


class TimeLimits(msgspec.Struct, frozen=True, eq=False):
    """Seconds without a byte after which an answer counts as broken; made once for each model, and told by identity."""

    first_byte: float
    """Until the first one."""
    stall: float
    """Between two of them."""


class StreamLimits(msgspec.Struct, frozen=True):
    """Seconds of silence after which a stream counts as broken."""

    opening: TimeLimits
    """Until its first token, whatever comes before."""
    thinking: TimeLimits
    """The same where the model thinks before it speaks."""
    stall: float
    """Between two reads from there on."""

    @classmethod
    def of(cls, first_token: float, thinking: float, stall: float) -> StreamLimits:
        late = max(first_token, thinking)
        return cls(TimeLimits(first_token, first_token), TimeLimits(late, late), stall)


class UpstreamAnswer(Protocol):
    """One HTTP answer whose status and headers have been read."""

    status: int
    header_lines: bytes
    """
    End-to-end headers, none of the gateway's own names; no control characters, so that they may go into another head.

    The body is handed on decoded, so its framing is not among them.
    """

    @property
    def has_ended(self) -> bool:
        """It is known that nothing more comes; what came may wait to be taken."""
        return False

    def at_hand(self) -> bytes | None:
        """Return what `read` would where it is here and nobody need wait; else None, and that is to be asked."""
        return None

    async def read(self) -> bytes:
        """Return the whole body, behind which there is nothing left to `close`; raises `UpstreamBroken`."""
        ...

    async def piece(self) -> bytes:
        """Return what arrived since the last one, joined; nothing at the body's end. Raises `UpstreamBroken`."""
        ...

    async def pass_on(self, take: Callable[[bytes], bool]) -> bool:
        """
        Give each piece to `take` until it says no, and return whether it did; not so at the body's end.

        Raises `UpstreamBroken`, or what `take` raises.
        """
        while data := await self.piece():
            if not take(data):
                return True
        return False

    def limit_stall(self, seconds: float) -> None:
        """Let at most so many seconds pass between two bytes from here on."""

    def close(self) -> None:
        """Give the connection back if the body was read to its end; else close it at once."""


class UpstreamClient(Protocol):
    """HTTP towards one provider, long-lived."""

    async def request(
        self, method: str, url: str, header_lines: bytes, body: bytes | memoryview, limits: TimeLimits | None = None
    ) -> UpstreamAnswer:
        """Return once the answer's headers are there; without limits the client's own hold. Raises `UpstreamBroken`."""
        ...


class Accounts(Protocol):
    """Which account made what a provider keeps."""

    async def remember(self, kept_id: str, account: Account) -> None:
        """Keep it for as long as the provider keeps the answer; raises `AccountsUnavailable`."""
        ...

    async def find(self, kept_id: str) -> Account | None:
        """Return who made it; None where that is not known (any more). Raises `AccountsUnavailable`."""
        ...


class CooldownStore(Protocol):
    """Cooldowns that all replicas share; every method raises `CooldownsUnavailable`."""

    async def trip(self, scope: str, cause: Verdict, reason: str, steps: Sequence[float]) -> Cooldown:
        """
        Open an entry for the first of the steps' seconds, or one that is half open for the next ones.

        One that is open stays so, for longer where the only step is longer than what is left.
        """
        ...

    async def claim(self, scope: str, seconds: float) -> bool:
        """Say whether the caller may probe; nobody else may for so many seconds."""
        ...

    async def release(self, scope: str) -> None:
        """Let others probe at once."""

    async def clear(self, scope: str) -> None:
        """Close an entry."""

    async def entries(self) -> Iterable[Cooldown]:
        """Return what is open or half open."""
        ...


class Clock(Protocol):
    """Time, and waiting."""

    def unix_ms(self) -> int:
        """Milliseconds since 1970."""
        ...

    def now(self) -> float:
        """Seconds that only ever grow."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
